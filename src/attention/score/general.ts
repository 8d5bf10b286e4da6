import type * as tf from "@tensorflow/tfjs-core";
import { checkParameter, checkWidths } from "./check.ts";
import { linear } from "./linear.ts";
import { products } from "./products.ts";
import type { Score } from "./score.ts";

export interface GeneralParameters {
  /** [Dq, Dk] */
  w: tf.Tensor2D;
}

/**
 * General (bilinear) score: a dot product after a learned change of coordinates.
 *
 *     score(q_t, k_s) = q_tᵀ W k_s
 *
 * Symbols: q_t a query, k_s a key, W learned. Shapes: q [B, T, Dq], k [B, S, Dk], W [Dq, Dk] → [B, T, S].
 * Conventions: the widths may differ; W = I is the dot score. W k_s is prepared once a source.
 * Cost: O(B·S·Dq·Dk) once, then O(B·T·S·Dq). Paper: Luong, Pham & Manning 2015, §3.1, arxiv.org/abs/1508.04025.
 *
 * @throws ShapeError SHAPE when W does not fit the widths
 * @draws
 * const queries = tf.randomNormal([1, 10, 4], 0, 1, "float32", 1);
 * const keys = tf.concat([tf.reverse(queries, 1), tf.mul(queries, 2)], 1);
 * const score = generalScore({ w: tf.eye(4) });
 * return score.score(queries, score.prepare(keys));
 * @example
 * const score = generalScore({ w: tf.variable(tf.eye(4)) });
 * score.score(queries, score.prepare(keys)); // [B, T, S]
 */
export function generalScore({ w }: GeneralParameters): Score {
  const [Dq, Dk] = w.shape;
  return {
    name: "general",
    prepare(keys) {
      checkParameter("generalScore", "w [Dq, Dk]", [Dq, Dk], [Dq, keys.shape[2]]);
      return linear(keys, w, true);
    },
    score(queries, prepared) {
      checkParameter("generalScore", "w [Dq, Dk]", [Dq, Dk], [queries.shape[2], Dk]);
      return products(queries, prepared);
    },
    factor(queries, prepared) {
      checkParameter("generalScore", "w [Dq, Dk]", [Dq, Dk], [queries.shape[2], Dk]);
      checkWidths("generalScore", queries, prepared);
      return 1;
    },
  };
}
