import * as tf from "@tensorflow/tfjs-core";
import { checkCount, checkPositive } from "../../core/check-options.ts";
import { attentionShapes } from "../../core/shapes.ts";
import { type AttentionOptions, type AttentionResult, attention } from "../../ops/attention.ts";
import { checkTensors } from "../../ops/check.ts";
import { tidyAsked } from "../../ops/tidy.ts";
import { distances, distancesToKeys, offsetOfQueries } from "../position/relative.ts";
import { writeSinusoids } from "../position/sinusoids.ts";

export interface TransformerXlParameters {
  /** R W_R, a key for each distance, the farthest before the query first: [H, T + S − 1, D]. */
  r: tf.Tensor3D;
  /** The paper's u, what every query looks for in content: [H, D]. */
  contentBias: tf.Tensor2D;
  /** The paper's v, which distances every query prefers: [H, D]. */
  distanceBias: tf.Tensor2D;
}

export type TransformerXlOptions = Pick<
  AttentionOptions,
  "allow" | "causal" | "keyLengths" | "lse" | "queryLengths" | "queryOffset" | "scale" | "weights" | "window"
>;

/**
 * Sines and cosines of distances: what `transformerXlAttention` maps to its keys of distances.
 *
 *     R_u = PE(i + offset − j),    u = j − i + T − 1
 *
 * Symbols: i a query, which stands at i + offset, j a key; PE as in `sinusoidalEncoding`. Shapes: → [T + S − 1, C].
 * Conventions: row 0 is the farthest before the last query, the last row what comes farthest after the first. One row serves
 * all pairs at that distance. No parameters. Cost: O((T + S)·C).
 * Paper: Dai et al. 2019, §3.3, arxiv.org/abs/1901.02860.
 *
 * @throws OptionError OPTION, CONFLICT when T ≠ S and there is no queryOffset
 * @draws
 * return relativeSinusoids(12, 12, 24, { base: 60 });
 * @example
 * // Of the key one before the query, and of the one at its own place.
 * relativeSinusoids(1, 2, 2, { queryOffset: 1 }); // [[0.8415, 0.5403], [0, 1]]
 */
export function relativeSinusoids(
  T: number,
  S: number,
  C: number,
  { queryOffset, base = 10_000 }: { queryOffset?: number; base?: number } = {},
): tf.Tensor2D {
  const op = "relativeSinusoids";
  for (const [name, n] of Object.entries({ T, S, C })) checkCount(op, name, n);
  checkPositive(op, "base", base);
  const all = distances(T, S, offsetOfQueries(op, T, S, queryOffset));
  const rows = new Float32Array(all.length * C);
  for (const [u, distance] of all.entries()) writeSinusoids(rows, u * C, C, -distance, base);
  return tf.tensor2d(rows, [all.length, C]);
}

/**
 * Attention of Transformer-XL: scores are of content and of distance, so that a memory of earlier segments has its place.
 *
 *     e_ij = scale · ((q_i + u)·k_j + (q_i + v)·r_(i−j)),    out_i = Σ_j softmax_j(e_ij) v_j
 *
 * Symbols: i a query, which stands at i + offset, j a key; k_j and v_j of the memory and of the segment, one after the other;
 * r the keys of distances, u and v (`contentBias`, `distanceBias`) vectors of each head; scale = 1/√D.
 * Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv], r [H, T + S − 1, D] → output [B, H, T, Dv].
 * Conventions: with a memory of M positions S = M + T and `causal: "bottomRight"`. Row t of r belongs to distances as in
 * `relativeSinusoids`. The memory is `appendToMemory`'s, so no gradient enters it; the maps that make its keys and values
 * learn from it. Masks are those of the op `attention`; where T ≠ S the offset must be said. A row without a visible key
 * gives 0. Differentiable in everything.
 * Cost: that of attention, and O(B·H·T·(T + S)·D) for the distances, whose scores are the op's bias.
 * Paper: Dai et al. 2019, §3.2 and 3.3, arxiv.org/abs/1901.02860.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION, CONFLICT · and what `compileProgram` throws
 * @draws
 * // Eight tokens and a memory of sixteen before them: the head prefers four to six before.
 * const [q, k] = [tf.zeros([1, 1, 8, 1]), tf.zeros([1, 1, 24, 1])];
 * const near = [...Array(31).keys()].map((u) => [-Math.abs(23 - u - 5)]);
 * const one = tf.ones([1, 1]);
 * const parameters = { r: tf.tensor3d([near]), contentBias: one, distanceBias: one };
 * return transformerXlAttention(q, k, k, parameters, { causal: "bottomRight", weights: true }).weights;
 * @example
 * const r = tf.randomNormal([3, 9, 4]); // T + S − 1 = 9
 * const [contentBias, distanceBias] = [tf.zeros([3, 4]), tf.zeros([3, 4])];
 * transformerXlAttention(q, k, v, { r, contentBias, distanceBias }, { causal: true }).output.shape; // [2, 3, 5, 7]
 */
export function transformerXlAttention<const O extends TransformerXlOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  { r, contentBias, distanceBias }: TransformerXlParameters,
  options: O = {} as O,
): AttentionResult<O> {
  const op = "transformerXlAttention";
  const { B, H, T, S, D } = attentionShapes(op, q, k, v);
  const R = T + S - 1;
  const perHead = { letters: "[H, D]", shape: [H, D] };
  checkTensors(op, [
    { name: "r", tensor: r, letters: "[H, T + S − 1, D]", shape: [H, R, D] },
    { name: "contentBias", tensor: contentBias, ...perHead },
    { name: "distanceBias", tensor: distanceBias, ...perHead },
  ]);
  const { causal, scale = 1 / Math.sqrt(D) }: TransformerXlOptions = options;
  const implied = causal === "bottomRight" ? S - T : causal === "topLeft" ? 0 : undefined;
  offsetOfQueries(op, T, S, options.queryOffset ?? implied);
  return tidyAsked((): AttentionResult => {
    const plus = (bias: tf.Tensor2D) => tf.add<tf.Tensor4D>(q, tf.reshape(bias, [1, H, 1, D]));
    // Heads first, so that one product has a matrix for each.
    const rows = tf.reshape(tf.transpose(plus(distanceBias), [1, 0, 2, 3]), [H, B * T, D]);
    const byDistance = tf.reshape(tf.matMul(rows, r, false, true), [H, B, T, R]);
    const scores = tf.mul(tf.transpose(byDistance, [1, 0, 2, 3]), scale);
    const bias = distancesToKeys(scores, T, S);
    return attention(plus(contentBias), k, v, { ...options, scale, bias }, op);
  });
}
