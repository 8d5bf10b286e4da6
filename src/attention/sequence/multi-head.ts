import type * as tf from "@tensorflow/tfjs-core";
import { compileModified } from "../../core/modified-program.ts";
import { runAttention, wantsOf } from "../../ops/attention/run.ts";
import type { AttentionOptions } from "../../ops/attention.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { checkMultiHead, type MultiHeadInputs, type MultiHeadParameters } from "./multi-head-check.ts";
import { fromHeads, project, toHeads } from "./project.ts";

export type { MultiHeadInputs, MultiHeadParameters } from "./multi-head-check.ts";

export interface MultiHeadOptions extends Omit<AttentionOptions, "layout"> {}

export type MultiHeadResult<O> = { output: tf.Tensor3D } & Asked<O, "weights", tf.Tensor4D> &
  Asked<O, "lse", tf.Tensor3D>;

/**
 * Multi-head attention: H attentions side by side, each in its own projection of queries, keys and values.
 *
 *     head_h = attention(query·Wq_h + bq_h, key·Wk_g + bk_g, value·Wv_g + bv_g),    g = ⌊h·Hkv/H⌋
 *     output = [head_1; …; head_H]·Wo + bo
 *
 * Symbols: Wq_h, Wk_g, Wv_g the slices wq[:, h], wk[:, g], wv[:, g]; Hkv = H is multi-head, Hkv < H grouped-query,
 * Hkv = 1 multi-query attention.
 * Shapes: query [B, T, C], key [B, S, Ck], value [B, S, Cv]; wq [C, H, D], wk [Ck, Hkv, D], wv [Cv, Hkv, Dv],
 * wo [H, Dv, Cout] (Keras' EinsumDense) → output [B, T, Cout], weights [B, H, T, S], lse [B, H, T].
 * Conventions: value defaults to query and key to value. Options are those of the op `attention`: masks, bias, window,
 * soft-cap, sink and dropout compose, `true` means attend, scale = 1/√D. Weights are those of every head, before
 * dropout. A query that sees nothing gets 0 from every head, so its output is bo. NaN in hidden places reaches
 * neither outputs nor gradients. `fromTorchInProj` reads PyTorch's parameters.
 * Cost: four products of `linear` and one attention on [B, T, H, D], where nothing is transposed: 2·B·T·C·H·(D + Dv)
 * flops a projection and O(B·H·T·S·(D + Dv)), whatever the options.
 * Paper: Vaswani et al. 2017, §3.2.2, arxiv.org/abs/1706.03762.
 *
 * @throws ShapeError RANK, DIMENSION, SHAPE, HEADS · and what `attention` throws for its options
 * @draws
 * // Four heads of one self-attention, each after another shift of the positions' code.
 * const position = tf.range(0, 12);
 * const angles = tf.outerProduct(position, tf.tensor1d([0.52, 1.05, 1.57, 2.09]));
 * const x = tf.expandDims(tf.concat([tf.cos(angles), tf.sin(angles)], 1), 0);
 * const turn = (shift) => {
 *   const [c, s] = [Math.cos, Math.sin].map((f) => tf.diag(tf.tensor1d([0.52, 1.05, 1.57, 2.09].map((w) => f(w * shift)))));
 *   return tf.concat([tf.concat([c, s], 1), tf.concat([tf.neg(s), c], 1)], 0);
 * };
 * const wq = tf.mul(tf.stack([0, -1, 2, -4].map(turn), 1), 5);
 * const w = tf.stack([0, 0, 0, 0].map(turn), 1);
 * return tf.squeeze(multiHeadAttention({ query: x }, { wq, wk: w, wv: w }, { weights: true }).weights, [0]);
 * @param op the name that errors give, for mechanisms that are made of this
 * @example
 * const w = (...shape) => tf.randomNormal(shape, 0, 0.3);
 * const parameters = { wq: w(4, 2, 3), wk: w(4, 2, 3), wv: w(7, 2, 5), wo: w(2, 5, 4) };
 * const inputs = { query: queries, key: keys, value: values };
 * const { output, weights } = multiHeadAttention(inputs, parameters, { keyLengths: [3, 5], weights: true });
 * output.shape; // [2, 3, 4]
 * weights.shape; // [2, 2, 3, 5]
 */
export function multiHeadAttention<const O extends MultiHeadOptions>(
  inputs: MultiHeadInputs,
  parameters: MultiHeadParameters,
  options: O = {} as O,
  op = "multiHeadAttention",
): MultiHeadResult<O> {
  const { query, value = query, key = value } = inputs;
  const { finite }: MultiHeadOptions = options;
  const shapes = checkMultiHead(op, { query, key, value }, parameters);
  const program = compileModified<tf.Tensor>(op, shapes, options);
  const asked = wantsOf(op, options);
  const { wq, bq, wk, bk, wv, bv, wo, bo } = parameters;
  return tidyAsked((): MultiHeadResult<MultiHeadOptions> => {
    const tensors = {
      q: project(program, query, (x) => toHeads(x, wq, bq), finite),
      k: project(program, key, (x) => toHeads(x, wk, bk), finite),
      v: project(program, value, (x) => toHeads(x, wv, bv), finite),
    };
    const heads = runAttention(program, "bthd", tensors, asked);
    return { ...heads, output: fromHeads(heads.output, wo, bo) };
  });
}
