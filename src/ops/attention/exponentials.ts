import * as tf from "@tensorflow/tfjs-core";
import { canRead } from "./guard.ts";

/** The lowest float32: stands in for the maximum of a row without one, since −∞ − (−∞) is not a number. */
const LOWEST = -3.4028234663852886e38;

/** e^(score − m) with each row's largest score m, which is `LOWEST` in a row of −∞ alone, and their sum. */
export function exponentiate(scores: tf.Tensor) {
  if (scores.shape.at(-1) === 0) {
    // The cpu backend says that the largest of no keys is NaN, and the stock wasm one that they add up to
    // whatever stood there.
    const row = [...scores.shape.slice(0, -1), 1];
    return { exponentials: scores, total: tf.zeros(row), most: tf.fill(row, LOWEST) };
  }
  const most = tf.maximum(tf.max(scores, -1, true), LOWEST);
  const exponentials = tf.exp(lessMost(scores, most));
  return { exponentials, total: tf.sum(exponentials, -1, true), most };
}

/** scores − most, in which ∞ − ∞ is 0. */
export function lessMost(scores: tf.Tensor, most: tf.Tensor): tf.Tensor {
  if (canRead() && !most.dataSync().includes(Number.POSITIVE_INFINITY)) return tf.sub(scores, most);
  return tf.where(tf.equal(scores, most), 0, tf.sub(scores, most));
}
