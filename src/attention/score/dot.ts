import { checkWidths } from "./check.ts";
import { products } from "./products.ts";
import type { Score } from "./score.ts";

/**
 * Dot score: how far query and key point the same way.
 *
 *     score(q_t, k_s) = q_t · k_s
 *
 * Symbols: q_t a query, k_s a key, of the same width D. Shapes: [B, T, D], [B, S, D] → [B, T, S].
 * Conventions: unscaled, as in Luong's paper and Keras' `Attention`; its size grows with √D, so wide models want
 * `scaledDotScore`. No parameters.
 * Cost: O(B·T·S·D) time, nothing to prepare. Paper: Luong, Pham & Manning 2015, §3.1, arxiv.org/abs/1508.04025.
 *
 * @throws ShapeError DIMENSION when the widths differ
 * @draws
 * const queries = tf.randomNormal([1, 10, 4], 0, 1, "float32", 1);
 * const keys = tf.concat([tf.reverse(queries, 1), tf.mul(queries, 2)], 1);
 * return dotScore().score(queries, keys);
 * @example
 * const score = dotScore();
 * score.score(queries, score.prepare(keys)); // [B, T, S]
 */
export function dotScore(): Score {
  return {
    name: "dot",
    prepare: (keys) => keys,
    score(queries, keys) {
      checkWidths("dotScore", queries, keys);
      return products(queries, keys);
    },
    factor(queries, keys) {
      checkWidths("dotScore", queries, keys);
      return 1;
    },
  };
}
