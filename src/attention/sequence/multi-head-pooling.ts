import * as tf from "@tensorflow/tfjs-core";
import { compileProgram } from "../../core/program.ts";
import { checkRank } from "../../core/shapes.ts";
import { runAttention, WANTED_OPTION_NAMES, wantsOf } from "../../ops/attention/run.ts";
import { tidyAsked } from "../../ops/tidy.ts";
import { checkKeyMask, type KeyMask } from "./key-mask.ts";
import type { MultiHeadOptions, MultiHeadParameters, MultiHeadResult } from "./multi-head.ts";
import { checkMultiHead } from "./multi-head-check.ts";
import { fromHeads, project, toHeads } from "./project.ts";

export interface MultiHeadPoolingParameters extends MultiHeadParameters {
  /** What is looked for, the same for all examples, [T, C]. */
  seeds: tf.Tensor2D;
}

type Left = "allow" | "bias" | "causal" | "queryOffset" | "queryLengths" | "window";

export interface MultiHeadPoolingOptions extends Omit<MultiHeadOptions, Left>, KeyMask {}

/**
 * Pooling by multi-head attention: a set of any size becomes T vectors, read by T learned seeds.
 *
 *     output = multiHeadAttention(seeds, x, x) = [head_1; …; head_H]·Wo + bo
 *
 * Symbols: seeds learned, their paper's S of k vectors; projections as in `multiHeadAttention`.
 * Shapes: x [B, S, Cx], seeds [T, C]; wq [C, H, D], wk [Cx, Hkv, D], wv [Cx, Hkv, Dv], wo [H, Dv, Cout] → output
 * [B, T, Cout] (without wo [B, T, H·Dv]), weights [B, H, T, S].
 * Conventions: the order of positions does not matter. It is the attention inside Set Transformer's PMA, whose
 * residuals, norms and feed-forward layers stand around it. `allow` is bool [S] or [B, S]; an example that sees
 * nothing gives bo. The seeds are projected once, not once an example.
 * Cost: O(B·S·Cx·H·(D + Dv)) for the projections, O(B·H·T·S·(D + Dv)) in one kernel.
 * Paper: Lee et al. 2018, §3.2, arxiv.org/abs/1810.00825.
 *
 * @throws ShapeError RANK, DIMENSION, SHAPE, HEADS · and what `attention` throws for its options
 * @draws
 * // Three seeds read a sequence of 24, each another stretch of it.
 * const at = tf.outerProduct(tf.range(0, 24), tf.tensor1d([0.13, 0.26]));
 * const x = tf.concat([tf.cos(at), tf.sin(at)], 1);
 * const seeds = tf.mul(tf.gather(x, tf.tensor1d([3, 11, 20], "int32")), 6);
 * const w = tf.reshape(tf.eye(4), [4, 1, 4]);
 * const options = { weights: true };
 * return tf.squeeze(multiHeadPooling(tf.expandDims(x, 0), { seeds, wq: w, wk: w, wv: w }, options).weights);
 * @example
 * const w = (...shape) => tf.randomNormal(shape, 0, 0.3);
 * const parameters = { seeds: w(2, 4), wq: w(4, 3, 5), wk: w(7, 3, 5), wv: w(7, 3, 5), wo: w(3, 5, 4) };
 * multiHeadPooling(values, parameters, { keyLengths: [4, 5] }).output.shape; // [2, 2, 4]
 */
export function multiHeadPooling<const O extends MultiHeadPoolingOptions>(
  x: tf.Tensor3D,
  { seeds, ...parameters }: MultiHeadPoolingParameters,
  options: O = {} as O,
): MultiHeadResult<O> {
  const { finite, allow, ...rest }: MultiHeadPoolingOptions = options;
  const op = "multiHeadPooling";
  checkRank(op, "x [B, S, Cx]", x, 3);
  checkRank(op, "seeds [T, C]", seeds, 2);
  const [B, S] = x.shape;
  const [T, C] = seeds.shape;
  const { wq, bq, wk, bk, wv, bv, wo, bo } = parameters;
  const query = { shape: [B, T, C] as [number, number, number], dtype: seeds.dtype };
  const shapes = checkMultiHead(op, { query, key: x, value: x }, parameters);
  const asked = wantsOf(op, options);
  return tidyAsked((): MultiHeadResult<MultiHeadOptions> => {
    const program = compileProgram<tf.Tensor>(
      op,
      shapes,
      { ...rest, ...checkKeyMask(op, allow, B, S) },
      WANTED_OPTION_NAMES,
    );
    const { H, D } = shapes;
    const heads = runAttention(
      program,
      "bthd",
      {
        q: tf.broadcastTo(toHeads(tf.expandDims(seeds, 0), wq, bq), [B, T, H, D]) as tf.Tensor4D,
        k: project(program, x, (from) => toHeads(from, wk, bk), finite),
        v: project(program, x, (from) => toHeads(from, wv, bv), finite),
      },
      asked,
    );
    return { ...heads, output: fromHeads(heads.output, wo, bo) };
  });
}
