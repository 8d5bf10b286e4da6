import * as tf from "@tensorflow/tfjs-core";
import { hiddenScore } from "../../ops/attention/additive.ts";
import { checkParameter } from "./check.ts";
import { linear } from "./linear.ts";
import type { Score } from "./score.ts";

/** Dk of the keys behind a prepared tensor, which shows only A. A copy of one has no entry: Dk is what W leaves. */
const widths = new WeakMap<tf.Tensor, number>();

export interface ConcatParameters {
  /** [Dq + Dk, A]: the first Dq rows meet the query, the others the key. */
  w: tf.Tensor2D;
  /** [A] */
  v: tf.Tensor1D;
}

/**
 * Concat score: one matrix over query and key side by side.
 *
 *     score(q_t, k_s) = vᵀ tanh(W [q_t; k_s])
 *
 * Symbols: q_t a query, k_s a key, [;] one after the other; W and v learned; A hidden units.
 * Shapes: q [B, T, Dq], k [B, S, Dk], W [Dq + Dk, A], v [A] → [B, T, S].
 * Conventions: the same function as the additive score without bias, its W₂ above its W₁; nothing is
 * concatenated here. Keras' `score_mode="concat"` is w·Σ tanh(q + k), another function.
 * Cost: as the additive score's.
 * Paper: Luong, Pham & Manning 2015, §3.1, arxiv.org/abs/1508.04025.
 *
 * @throws ShapeError SHAPE when W and v do not fit the widths
 * @draws
 * const normal = (seed, shape) => tf.randomNormal(shape, 0, 1, "float32", seed);
 * const score = concatScore({ w: normal(1, [8, 8]), v: normal(3, [8]) });
 * return score.score(normal(4, [1, 10, 4]), score.prepare(normal(5, [1, 14, 4])));
 * @example
 * const score = concatScore({ w: tf.randomNormal([8, 6]), v: tf.randomNormal([6]) });
 * score.score(queries, score.prepare(keys)); // [B, T, S]
 */
export function concatScore({ w, v }: ConcatParameters): Score {
  const op = "concatScore";
  const A = v.shape[0];
  const rows = w.shape[0];
  const hidden = {
    v,
    query(queries: tf.Tensor3D, prepared: tf.Tensor3D) {
      const Dq = queries.shape[2];
      const Dk = widths.get(prepared) ?? Math.max(rows - Dq, 1);
      checkParameter(op, "w [Dq + Dk, A]", w.shape, [Dq + Dk, A]);
      checkParameter(op, "prepared [B, S, A]", prepared.shape, [...prepared.shape.slice(0, 2), A]);
      return linear(queries, tf.slice(w, [0, 0], [Dq, A]));
    },
  };
  return {
    name: "concat",
    prepare(keys) {
      const Dk = keys.shape[2];
      checkParameter(op, "w [Dq + Dk, A]", w.shape, [Math.max(rows, Dk + 1), A]);
      const prepared = linear(keys, tf.slice(w, [rows - Dk, 0], [Dk, A]));
      widths.set(prepared, Dk);
      return prepared;
    },
    score: (queries, prepared) => hiddenScore(hidden.query(queries, prepared), prepared, v),
    hidden,
  };
}
