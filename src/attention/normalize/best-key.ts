import * as tf from "@tensorflow/tfjs-core";
import { detached } from "../../ops/attention/guard.ts";

/** The first key with the largest score of each row, −1 where it is `none`: [..., S] → int32 [...]. */
export function bestKey(scores: tf.Tensor, none = Number.NEGATIVE_INFINITY): tf.Tensor {
  const x = detached(scores);
  return noneIf(tf.equal(tf.max(x, -1), none), tf.argMax(x, -1));
}

/** −1 where there is none, the index elsewhere. */
export function noneIf(none: tf.Tensor, index: tf.Tensor): tf.Tensor {
  return tf.sub(index, tf.mul(tf.cast(none, "int32"), tf.add(index, tf.onesLike(index))));
}

/** 1 at the key of each row, 0 elsewhere and in rows whose key is −1: int32 [...] → float [..., S]. */
export function oneHotKeys(index: tf.Tensor, S: number): tf.Tensor {
  // TensorFlow.js knows no one-hot rows of length 1.
  const hot = tf.oneHot(index, Math.max(S, 2), 1, 0, "float32");
  return S === 1 ? tf.slice(hot, new Array(hot.rank).fill(0), [...index.shape, 1]) : hot;
}
