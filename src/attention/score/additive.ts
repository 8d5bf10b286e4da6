import * as tf from "@tensorflow/tfjs-core";
import { hiddenScore } from "../../ops/attention/additive.ts";
import { checkParameter } from "./check.ts";
import { linear } from "./linear.ts";
import type { Score } from "./score.ts";

export interface AdditiveParameters {
  /** For the keys, [Dk, A]. */
  w1: tf.Tensor2D;
  /** For the queries, [Dq, A]. */
  w2: tf.Tensor2D;
  /** [A] */
  v: tf.Tensor1D;
  /** Bias of the hidden layer, [A]. @default none */
  b?: tf.Tensor1D;
}

/**
 * Additive score: a small network with one hidden layer judges each pair.
 *
 *     score(q_t, k_s) = vᵀ tanh(W₁ k_s + W₂ q_t + b)
 *
 * Symbols: q_t a query, k_s a key; W₁, W₂, v and b learned; A hidden units.
 * Shapes: q [B, T, Dq], k [B, S, Dk], W₁ [Dk, A], W₂ [Dq, A], v and b [A] → [B, T, S].
 * Conventions: the widths may differ. Keras' `AdditiveAttention` is Σ scale ⊙ tanh(q + k), without W₁ and W₂.
 * W₁ k_s + b is prepared once a source.
 * Cost: O(B·S·Dk·A) once, then O(B·T·(Dq + S)·A) time and O(B·T·S·A) memory; on the heed backend `attend` needs
 * O(S·A), in one kernel (ops/additive-attention.ts).
 * Paper: Bahdanau, Cho & Bengio 2014, §3.1 and A.1.2, arxiv.org/abs/1409.0473.
 *
 * @throws ShapeError SHAPE when a parameter does not fit
 * @draws
 * const normal = (seed, shape) => tf.randomNormal(shape, 0, 1, "float32", seed);
 * const score = additiveScore({ w1: normal(1, [4, 8]), w2: normal(2, [4, 8]), v: normal(3, [8]) });
 * return score.score(normal(4, [1, 10, 4]), score.prepare(normal(5, [1, 14, 4])));
 * @example
 * const score = additiveScore({ w1: tf.randomNormal([4, 6]), w2: tf.randomNormal([4, 6]), v: tf.randomNormal([6]) });
 * score.score(queries, score.prepare(keys)); // [B, T, S]
 */
export function additiveScore({ w1, w2, v, b }: AdditiveParameters): Score {
  const op = "additiveScore";
  const A = v.shape[0];
  if (b) checkParameter(op, "b [A]", b.shape, [A]);
  const hidden = {
    v,
    query(queries: tf.Tensor3D) {
      checkParameter(op, "w2 [Dq, A]", w2.shape, [queries.shape[2], A]);
      return linear(queries, w2);
    },
  };
  return {
    name: "additive",
    prepare(keys) {
      checkParameter(op, "w1 [Dk, A]", w1.shape, [keys.shape[2], A]);
      const hidden = linear(keys, w1);
      return b ? tf.add(hidden, b) : hidden;
    },
    score: (queries, prepared) => hiddenScore(hidden.query(queries), prepared, v),
    hidden,
  };
}
