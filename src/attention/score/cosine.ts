import * as tf from "@tensorflow/tfjs-core";
import { checkBroadcast } from "../normalize/check.ts";
import { checkWidths } from "./check.ts";
import { products } from "./products.ts";
import type { Score } from "./score.ts";

export interface CosineOptions {
  /** Factor of the cosine: a number, or a tensor that broadcasts to [B, T, 1], such as one learned. @default 1 */
  scale?: number | tf.Tensor;
}

/**
 * Cosine score: how nearly query and key point the same way, however long they are.
 *
 *     score(q_t, k_s) = scale · q_t·k_s / (‖q_t‖ ‖k_s‖)
 *
 * Symbols: q_t a query, k_s a key, of the same width D; scale the sharpness, 1/τ for a temperature τ.
 * Shapes: q [B, T, D], k [B, S, D] → [B, T, S].
 * Conventions: scores lie in ±scale, so weights stay flat unless scale is large; it is the key strength β of the
 * Neural Turing Machine, where each query has its own, and 1/τ or g where it is learned. A vector of zeros has no
 * direction: its scores are 0, and so is its gradient. The keys are made unit vectors once a source.
 * Cost: O(B·S·D) once, then O(B·T·S·D). Papers: Graves, Wayne & Danihelka 2014, §3.3.1, arxiv.org/abs/1410.5401;
 * Henry et al. 2020, §3, arxiv.org/abs/2010.04245; Liu et al. 2021, §3.3, arxiv.org/abs/2111.09883.
 *
 * @throws ShapeError DIMENSION when the widths differ, SHAPE when a scale does not fit the queries
 * @draws
 * const queries = tf.randomNormal([1, 10, 4], 0, 1, "float32", 1);
 * const keys = tf.concat([tf.reverse(queries, 1), tf.mul(queries, 2)], 1);
 * const score = cosineScore();
 * return score.score(queries, score.prepare(keys));
 * @draws
 * const angles = Array.from({ length: 14 }, (_, n) => n / 2);
 * const points = tf.tensor3d([angles.map((a, n) => [(1 + n / 4) * Math.cos(a), (1 + n / 4) * Math.sin(a)])]);
 * const score = cosineScore();
 * return score.score(points, score.prepare(points));
 * @example
 * const score = cosineScore({ scale: 10 });
 * score.score(queries, score.prepare(keys)); // [B, T, S]
 */
export function cosineScore({ scale = 1 }: CosineOptions = {}): Score {
  const query = (queries: tf.Tensor3D) => {
    if (typeof scale === "number") return unit(queries);
    const rows = [...queries.shape.slice(0, 2), 1];
    checkBroadcast("cosineScore", { name: "scale", letters: "[B, T, 1]" }, rows, scale.shape);
    return tf.mul<tf.Tensor3D>(unit(queries), scale);
  };
  const factor = (queries: tf.Tensor3D, prepared: tf.Tensor3D) => {
    checkWidths("cosineScore", queries, prepared);
    return typeof scale === "number" ? scale : 1;
  };
  return {
    name: "cosine",
    prepare: (keys) => unit(keys),
    score(queries, prepared) {
      const number = factor(queries, prepared);
      const product: tf.Tensor3D = products(query(queries), prepared);
      return number === 1 ? product : tf.mul(product, number);
    },
    factor,
    query,
  };
}

/** x / ‖x‖ of each vector, and 0 with gradient 0 for a vector of zeros. */
function unit(x: tf.Tensor3D): tf.Tensor3D {
  return rowUnit(x) as tf.Tensor3D;
}

const rowUnit = tf.customGrad((given, save) => {
  const x = given as tf.Tensor;
  const squares = tf.sum(tf.square(x), -1, true);
  const inverse = tf.where(tf.equal(squares, 0), 0, tf.rsqrt(squares));
  const direction = tf.mul(x, inverse);
  (save as tf.GradSaveFunc)([direction, inverse]);
  return {
    value: direction,
    gradFunc: (dy: tf.Tensor, [u, shrink]: tf.Tensor[]) =>
      tf.mul(tf.sub(dy, tf.mul(u!, tf.sum(tf.mul(u!, dy), -1, true))), shrink!),
  };
});
