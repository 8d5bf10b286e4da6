import * as tf from "@tensorflow/tfjs-core";
import { keyHead } from "../../core/notation.ts";
import { compileProgram, type ProgramOptions } from "../../core/program.ts";
import { attentionShapes } from "../../core/shapes.ts";
import { dotScores } from "../../ops/attention/composed.ts";
import { ofNothing, seenMask } from "../../ops/attention/guard.ts";
import { allowTensor, maskScores } from "../../ops/attention/mask.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";

type Mask =
  | "allow"
  | "bias"
  | "causal"
  | "queryOffset"
  | "window"
  | "queryLengths"
  | "keyLengths"
  | "softCap"
  | "scale";

export interface HardAttentionOptions extends Pick<ProgramOptions<tf.Tensor>, Mask> {
  /** Return the weights [B, H, T, S], 1 for the chosen key and 0 for the others. @default false */
  weights?: boolean;
}

export type HardAttentionResult<O> = { output: tf.Tensor4D; index: tf.Tensor3D } & Asked<
  O,
  "weights",
  tf.Tensor4D
>;

/**
 * Hard attention by argmax: every query reads the one value whose score is largest.
 *
 *     index_t = argmax_s (scale · q_t·k_s + bias_ts),    output_t = v_{index_t}
 *
 * Symbols: scale = 1/√D. Shapes: q [B, H, T, D], k [B, Hkv, S, D], v [B, Hkv, S, Dv] → output [B, H, T, Dv], index
 * [B, H, T] int32, weights [B, H, T, S]; H a multiple of Hkv.
 * Conventions: every output is a copy of one value row, bit for bit; of equal scores the first is taken. The gradient
 * reaches v alone: a choice has none, so q and k do not learn by this function. It is the inference of hard attention;
 * its estimators sample instead and learn. Masks, bias, lengths and window as `softAttention`'s; a query that sees no
 * key has output 0 and index −1. NaN in hidden places is never chosen.
 * Cost: O(B·H·T·S·D) time, O(B·H·T·S) memory. Paper: Xu et al. 2015, §4.1, arxiv.org/abs/1502.03044.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · and what `compileProgram` throws
 * @draws
 * const at = tf.outerProduct(tf.range(0, 16), tf.tensor1d([0.2, 0.39, 0.79, 1.57]));
 * const codes = tf.concat([tf.cos(at), tf.sin(at)], 1);
 * const asked = tf.gather(codes, tf.tensor1d([3, 3, 4, 6, 5, 7, 9, 8, 10, 12, 11, 14, 13, 15, 15, 0], "int32"));
 * const [x, y] = [asked, codes].map((rows) => tf.reshape(rows, [1, 1, 16, 8]));
 * return tf.squeeze(hardAttention(x, y, y, { weights: true }).weights);
 * @example
 * const [ask, at, what] = [[[1, 0]], [[0, 1], [2, 0]], [[5, 6], [7, 8]]].map((x) => tf.tensor4d([[x]]));
 * const { output, index } = hardAttention(ask, at, what);
 * output; // [[[[7, 8]]]]
 * index; // [[[1]]]
 */
export function hardAttention<const O extends HardAttentionOptions>(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  options: O = {} as O,
): HardAttentionResult<O> {
  const { weights, ...rest }: HardAttentionOptions = options;
  const op = "hardAttention";
  const program = compileProgram<tf.Tensor>(op, attentionShapes(op, q, k, v), rest);
  const { B, H, T, S } = program.shapes;
  return tidyAsked((): HardAttentionResult<HardAttentionOptions> => {
    // Off the tape: TensorFlow.js would ask argMax for its gradient, and refuse.
    const index = tf.customGrad(() => ({
      value: chooseKeys(program, q, k),
      gradFunc: () => [],
    }))() as tf.Tensor3D;
    return {
      output: takeRows(program, v, index),
      index,
      ...(weights && { weights: oneHot(index, [B, H, T, S]) }),
    };
  });
}

function oneHot(index: tf.Tensor3D, shape: [number, number, number, number]): tf.Tensor4D {
  return shape[3] === 0 ? tf.zeros(shape) : (tf.oneHot(index, shape[3], 1, 0, "float32") as tf.Tensor4D);
}

type Program = ReturnType<typeof compileProgram<tf.Tensor>>;

/** The key of the largest score that is seen, −1 where none is. */
function chooseKeys(program: Program, q: tf.Tensor4D, k: tf.Tensor4D): tf.Tensor {
  const { B, H, T, S } = program.shapes;
  if (B * T * S === 0) return tf.fill([B, H, T], -1, "int32");
  const { softCap, bias } = program;
  const product = dotScores(program, q, k);
  const capped = softCap === undefined ? product : tf.mul(tf.tanh(tf.div(product, softCap)), softCap);
  const scores = bias ? tf.add(capped, bias.array) : capped;
  const seen = seenMask(allowTensor(program), bias?.array);
  if (!seen) return tf.argMax(scores, -1);
  const masked = maskScores(scores, seen);
  const isEmpty = tf.equal(tf.max(masked, -1), Number.NEGATIVE_INFINITY);
  return tf.where(isEmpty, tf.scalar(-1, "int32"), tf.argMax(masked, -1));
}

/** Row `index` of each query head's values, 0 for index −1. */
function takeRows({ shapes }: Program, v: tf.Tensor4D, index: tf.Tensor3D): tf.Tensor4D {
  const { B, H, Hkv, T, S, Dv } = shapes;
  if (B * T * S === 0) return ofNothing([v, v], [B, H, T, Dv]) as tf.Tensor4D;
  const first = Int32Array.from({ length: B * H }, (_, n) => {
    return (Math.floor(n / H) * Hkv + keyHead(n % H, shapes)) * S;
  });
  const rows = tf.add(tf.maximum(index, tf.scalar(0, "int32")), tf.tensor3d(first, [B, H, 1], "int32"));
  const taken = tf.gather(tf.reshape(v, [B * Hkv * S, Dv]), tf.cast(tf.reshape(rows, [B * H * T]), "int32"));
  const isEmpty = tf.expandDims(tf.less(index, 0), -1);
  return tf.where(isEmpty, 0, tf.reshape(taken, [B, H, T, Dv])) as tf.Tensor4D;
}
