import * as tf from "@tensorflow/tfjs-core";
import { meanOf } from "../statistics.ts";

/** The share of examples whose likeliest class is theirs: logits [N, classes]. */
export function shareRight(logits: tf.Tensor2D, classes: ArrayLike<number>): number {
  const guesses = tf.tidy(() => tf.argMax(logits, 1).dataSync());
  return meanOf(Array.from(classes, (label, n): number => (label === guesses[n] ? 1 : 0)));
}
