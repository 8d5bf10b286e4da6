import * as tf from "@tensorflow/tfjs-core";
import { checkWidths } from "./check.ts";
import { products } from "./products.ts";
import type { Score } from "./score.ts";

export interface ScaledDotOptions {
  /** Factor of q·k; any number, 0 included. @default 1/√D, D the width of the queries */
  scale?: number;
}

/**
 * Scaled dot score: a dot product whose size does not grow with the width.
 *
 *     score(q_t, k_s) = scale · q_t · k_s,    scale = 1/√D
 *
 * Symbols: q_t a query, k_s a key, of the same width D. Shapes: [B, T, D], [B, S, D] → [B, T, S].
 * Conventions: for unit-normal q and k the scores have variance 1. D is the width that is scored, so the head's
 * width in multi-head attention, not the model's. The scale is applied to the queries, in float32.
 * Cost: O(B·T·S·D) time, nothing to prepare. Paper: Vaswani et al. 2017, §3.2.1, arxiv.org/abs/1706.03762.
 *
 * @throws ShapeError DIMENSION when the widths differ
 * @draws
 * const queries = tf.randomNormal([1, 10, 4], 0, 1, "float32", 1);
 * const keys = tf.concat([tf.reverse(queries, 1), tf.mul(queries, 2)], 1);
 * return scaledDotScore().score(queries, keys);
 * @example
 * const score = scaledDotScore();
 * score.score(queries, score.prepare(keys)); // [B, T, S]
 */
export function scaledDotScore({ scale }: ScaledDotOptions = {}): Score {
  const factor = (queries: tf.Tensor3D, keys: tf.Tensor3D) => {
    checkWidths("scaledDotScore", queries, keys);
    return scale ?? 1 / Math.sqrt(queries.shape[2]);
  };
  return {
    name: "scaledDot",
    prepare: (keys) => keys,
    score(queries, keys) {
      return products(tf.mul(queries, factor(queries, keys)), keys);
    },
    factor,
  };
}
