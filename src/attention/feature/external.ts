import * as tf from "@tensorflow/tfjs-core";
import { checkTensors } from "../../ops/check.ts";
import { linear } from "../../ops/linear.ts";
import { tidy } from "../../ops/tidy.ts";
import { checkFeatures, columnsOf, optional } from "./check.ts";
import { logSumExp } from "./pool.ts";

export interface ExternalParameters {
  /** [C, D], queries. @default x itself */
  wq?: tf.Tensor2D;
  /** [S, D], the memory of keys. */
  mk: tf.Tensor2D;
  /** [S, Dv], the memory of values. */
  mv: tf.Tensor2D;
  /** [Dv, Co], after reading. @default none */
  wo?: tf.Tensor2D;
  /** [Co] @default none */
  bo?: tf.Tensor1D;
}

export interface ExternalResult<T extends tf.Tensor> {
  /** [B, …, Dv], or [B, …, Co] */
  output: T;
  /** [B, N, S], each position's sum to 1. */
  weights: tf.Tensor3D;
}

/**
 * External attention: positions read two small memories that all examples share, in place of one another.
 *
 *     ã_ij = exp(q_iᵀm^k_j) / Σ_i′ exp(q_i′ᵀm^k_j),    a_ij = ã_ij / Σ_j′ ã_ij′,    out_i = Σ_j a_ij m^v_j
 *
 * Symbols: q = x W_q queries, m^k and m^v rows of the memories, i positions, j memory slots, a weights.
 * Shapes: x [B, …, C] with N positions, W_q [C, D], memories [S, D] and [S, Dv], W_o [Dv, Co] → output [B, …, Dv or Co],
 * weights [B, N, S].
 * Conventions: normalised twice, first over positions, so that a long feature cannot take every slot, then over slots.
 * That is a softmax over the slots of q_iᵀm^k_j − lse_i′(q_i′ᵀm^k_j), and so it is computed: nothing under- or
 * overflows, where the paper's code adds 10⁻⁹ to the sums. No scale. A bias of the queries would leave the first
 * softmax as it is, so there is none. The memories hold what the data set has in common.
 * Cost: O(B·N·S·(D + Dv)), linear in the positions. Paper: Guo et al. 2021, §3.2, arxiv.org/abs/2105.02358.
 *
 * @throws ShapeError RANK or SHAPE when the shapes do not fit together
 * @draws
 * const x = tf.tensor3d(Array.from({ length: 24 }, (_, e) => [Math.cos(e / 4), Math.sin(e / 4)]).flat(), [1, 24, 2]);
 * const mk = tf.tensor2d(Array.from({ length: 8 }, (_, e) => [4 * Math.cos((e * Math.PI) / 4), 4 * Math.sin((e * Math.PI) / 4)]));
 * return externalAttention(x, { mk, mv: mk }).weights;
 * @example
 * const x = tf.randomNormal([2, 3, 5, 4], 0, 1, "float32", 1);
 * const { output, weights } = externalAttention(x, { mk: tf.zeros([2, 4]), mv: tf.tensor2d([[1], [3]]) });
 * output.shape; // [2, 3, 5, 1]
 * tf.mean(output); // 2.000
 * weights.shape; // [2, 15, 2]
 */
export function externalAttention<T extends tf.Tensor>(
  x: T,
  parameters: ExternalParameters,
): ExternalResult<T> {
  const op = "externalAttention";
  const C = checkFeatures(op, x, "[B, …, C]", 3);
  const { wq, mk, mv, wo, bo } = parameters;
  const D = columnsOf(op, "mk [S, D]", mk);
  const Dv = columnsOf(op, "mv [S, Dv]", mv);
  const S = mk.shape[0];
  const Co = wo ? columnsOf(op, "wo [Dv, Co]", wo) : Dv;
  checkTensors(op, [
    ...optional("wq", wq, "[C, D]", [C, D]),
    { name: "mk", tensor: mk, letters: "[S, D]", shape: [S, wq ? D : C] },
    { name: "mv", tensor: mv, letters: "[S, Dv]", shape: [S, Dv] },
    ...optional("wo", wo, "[Dv, Co]", [Dv, Co]),
    ...optional("bo", bo, "[Co]", [Co]),
  ]);
  return tidy(() => {
    const positions = tf.reshape(x, [x.shape[0]!, -1, C]) as tf.Tensor3D;
    const q = wq ? linear(positions, wq) : positions;
    const scores = linear(q, tf.transpose(mk));
    // Over the positions as the last axis, along which reductions are quick.
    const total = tf.reshape(logSumExp(tf.transpose(scores, [0, 2, 1])), [-1, 1, S]);
    const weights = tf.softmax(tf.sub<tf.Tensor3D>(scores, total));
    let output: tf.Tensor = linear(weights, mv);
    if (wo) output = linear(output, wo);
    if (bo) output = tf.add(output, bo);
    return { output: tf.reshape(output, [...x.shape.slice(0, -1), Co]) as T, weights };
  });
}
