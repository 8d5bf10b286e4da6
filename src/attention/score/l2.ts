import * as tf from "@tensorflow/tfjs-core";
import { checkWidths } from "./check.ts";
import { products } from "./products.ts";
import type { Score } from "./score.ts";

export interface L2Options {
  /** Factor of the squared distance; any number. @default 1/√D, D the width of the queries */
  scale?: number;
}

/**
 * L2 score: the nearer a key, the better.
 *
 *     score(q_t, k_s) = −scale · ‖q_t − k_s‖²,    scale = 1/√D
 *
 * Symbols: q_t a query, k_s a key, of the same width D. Shapes: q [B, T, D], k [B, S, D] → [B, T, S].
 * Conventions: a query's best key is the nearest, a key of great length attracts no one, and with tied projections
 * self-attention of this score is Lipschitz, which that of dot products is not. It is one product of vectors that two
 * columns were added to, [2q, −1, −‖q‖²]·[k, ‖k‖², 1], so it has the kernels of the dot score; a score is exact to
 * float32's rounding of scale·(‖q‖² + ‖k‖²), not of the distance.
 * Cost: O(B·S·D) once, then O(B·T·S·D). Paper: Kim, Papamakarios & Mnih 2021, §3.2, arxiv.org/abs/2006.04710.
 *
 * @throws ShapeError DIMENSION when the widths differ
 * @draws
 * const queries = tf.randomNormal([1, 10, 4], 0, 1, "float32", 1);
 * const keys = tf.concat([tf.reverse(queries, 1), tf.mul(queries, 2)], 1);
 * const score = l2Score();
 * return score.score(queries, score.prepare(keys));
 * @draws
 * const angles = Array.from({ length: 14 }, (_, n) => n / 2);
 * const points = tf.tensor3d([angles.map((a, n) => [(1 + n / 4) * Math.cos(a), (1 + n / 4) * Math.sin(a)])]);
 * const score = l2Score();
 * return score.score(points, score.prepare(points));
 * @example
 * const score = l2Score({ scale: 1 });
 * score.score(tf.tensor3d([1, 2], [1, 1, 2]), score.prepare(tf.tensor3d([4, 6], [1, 1, 2]))); // [[[-25]]]
 */
export function l2Score({ scale }: L2Options = {}): Score {
  const query = (queries: tf.Tensor3D): tf.Tensor3D => {
    const squares = squaredLengths(queries);
    return tf.concat([tf.mul(queries, 2), tf.fill(squares.shape, -1), tf.neg(squares)], 2);
  };
  const factor = (queries: tf.Tensor3D, prepared: tf.Tensor3D) => {
    const [B, S, columns] = prepared.shape;
    checkWidths("l2Score", queries, { shape: [B, S, columns - 2] });
    return scale ?? 1 / Math.sqrt(queries.shape[2]);
  };
  return {
    name: "l2",
    prepare(keys) {
      const squares = squaredLengths(keys);
      return tf.concat([keys, squares, tf.onesLike(squares)], 2);
    },
    score(queries, prepared) {
      const number = factor(queries, prepared);
      return tf.mul(products(query(queries), prepared), number);
    },
    factor,
    query,
  };
}

/** [B, N, D] → [B, N, 1] */
function squaredLengths(x: tf.Tensor3D): tf.Tensor3D {
  return tf.sum(tf.square(x), 2, true);
}
