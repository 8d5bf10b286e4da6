import * as tf from "@tensorflow/tfjs-core";
import { compileProgram } from "../../core/program.ts";
import { attentionShapes, checkRank } from "../../core/shapes.ts";
import { runAttention } from "../../ops/attention/run.ts";
import { checkTensors } from "../../ops/check.ts";
import { linear } from "../../ops/linear.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { checkKeyMask, type SingleQueryOptions } from "./key-mask.ts";
import { project } from "./project.ts";

export interface PatchAttentionParameters {
  /** [C, D] */
  wq: tf.Tensor2D;
  /** [D] @default none */
  bq?: tf.Tensor1D;
  /** [Ck, D] */
  wk: tf.Tensor2D;
  /** [D] @default none */
  bk?: tf.Tensor1D;
  /** [Ck, Dv] */
  wv: tf.Tensor2D;
  /** [Dv] @default none */
  bv?: tf.Tensor1D;
}

export interface PatchAttentionOptions extends SingleQueryOptions {}

export type PatchAttentionResult<O> = { output: tf.Tensor2D } & Asked<O, "weights", tf.Tensor2D>;

/**
 * Patch attention: one squashed query looks over the patches of an image.
 *
 *     α = softmax_s(scale · tanh(query·Wq + bq)·(patch_s·Wk + bk)),    output = Σ_s α_s (patch_s·Wv + bv)
 *
 * Symbols: Wq, Wk, Wv learned; scale = 1/√D. The tanh keeps every coordinate of the query in ±1.
 * Shapes: query [B, C], patches [B, S, Ck]; wq [C, D], wk [Ck, D], wv [Ck, Dv] → output [B, Dv], weights [B, S].
 * Conventions: weights are positive and sum to 1. A set of patches has no order: add a code of their places to them if
 * places are to matter. An example that sees no patch gives 0. NaN in hidden patches reaches nothing.
 * Cost: O(B·S·Ck·(D + Dv)). Paper: Xu et al. 2015, §3.1.2, arxiv.org/abs/1502.03044, with dot-product scores.
 *
 * @throws ShapeError RANK, DIMENSION, SHAPE · and what `attention` throws for its options
 * @draws
 * // 12 × 12 patches; the query asks for a blob in the upper right.
 * const place = tf.linspace(-1, 1, 12);
 * const [y, x] = [tf.tile(tf.reshape(place, [12, 1]), [1, 12]), tf.tile(tf.reshape(place, [1, 12]), [12, 1])];
 * const near = tf.exp(tf.mul(-4, tf.add(tf.square(tf.add(y, 0.5)), tf.square(tf.sub(x, 0.4)))));
 * const patches = tf.reshape(tf.stack([near, x], -1), [1, 144, 2]);
 * const parameters = { wq: tf.tensor2d([[9, 0]]), wk: tf.mul(tf.eye(2), 8), wv: tf.eye(2) };
 * const { weights } = patchAttention(tf.ones([1, 1]), patches, parameters, { weights: true });
 * return tf.reshape(weights, [12, 12]);
 * @example
 * const patches = tf.randomNormal([1, 100, 128], 0, 1, "float32", 1);
 * const parameters = { wq: tf.ones([32, 128]), wk: tf.ones([128, 128]), wv: tf.ones([128, 128]) };
 * patchAttention(tf.randomNormal([1, 32], 0, 1, "float32", 2), patches, parameters).output.shape; // [1, 128]
 */
export function patchAttention<const O extends PatchAttentionOptions>(
  query: tf.Tensor2D,
  patches: tf.Tensor3D,
  { wq, bq, wk, bk, wv, bv }: PatchAttentionParameters,
  options: O = {} as O,
): PatchAttentionResult<O> {
  const { weights, finite, allow, ...rest }: PatchAttentionOptions = options;
  const op = "patchAttention";
  checkRank(op, "query [B, C]", query, 2);
  checkRank(op, "patches [B, S, Ck]", patches, 3);
  for (const [name, w] of Object.entries({ "wq [C, D]": wq, "wk [Ck, D]": wk, "wv [Ck, Dv]": wv })) {
    checkRank(op, name, w, 2);
  }
  const [B, S, Ck] = patches.shape;
  const [C, [, D], [, Dv]] = [query.shape[1], wq.shape, wv.shape];
  checkTensors(op, [
    { name: "query", tensor: query, letters: "[B, C]", shape: [B, C] },
    { name: "patches", tensor: patches, letters: "[B, S, Ck]", shape: [B, S, Ck] },
    { name: "wq", tensor: wq, letters: "[C, D]", shape: [C, D] },
    { name: "wk", tensor: wk, letters: "[Ck, D]", shape: [Ck, D] },
    { name: "wv", tensor: wv, letters: "[Ck, Dv]", shape: [Ck, Dv] },
    ...(bq ? [{ name: "bq", tensor: bq, letters: "[D]", shape: [D] }] : []),
    ...(bk ? [{ name: "bk", tensor: bk, letters: "[D]", shape: [D] }] : []),
    ...(bv ? [{ name: "bv", tensor: bv, letters: "[Dv]", shape: [Dv] }] : []),
  ]);
  const array = (...shape: number[]) => ({ shape, dtype: "float32" });
  const shapes = attentionShapes(op, array(B, 1, 1, D), array(B, S, 1, D), array(B, S, 1, Dv), "bthd");
  return tidyAsked((): PatchAttentionResult<PatchAttentionOptions> => {
    const program = compileProgram<tf.Tensor>(op, shapes, { ...rest, ...checkKeyMask(op, allow, B, S) });
    const keys = project(program, patches, (x) => linear(x, wk, bk), finite);
    const values = project(program, patches, (x) => linear(x, wv, bv), finite);
    const heads = {
      q: tf.reshape(tf.tanh(linear(query, wq, bq)), [B, 1, 1, D]),
      k: tf.reshape(keys, [B, S, 1, D]),
      v: tf.reshape(values, [B, S, 1, Dv]),
    };
    const result = runAttention(program, "bthd", heads, { weights, finite });
    return {
      output: tf.reshape(result.output, [B, Dv]),
      ...(result.weights && { weights: tf.reshape(result.weights, [B, S]) }),
    };
  });
}
