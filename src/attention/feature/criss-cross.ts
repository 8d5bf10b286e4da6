import * as tf from "@tensorflow/tfjs-core";
import { checkFinite } from "../../core/check-options.ts";
import { attention } from "../../ops/attention.ts";
import { checkTensors } from "../../ops/check.ts";
import { linear } from "../../ops/linear.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { columnsOf, type ImageSizes, imageSizes, optional } from "./check.ts";

export interface CrissCrossParameters {
  /** [C, D] */
  wq: tf.Tensor2D;
  /** [D] @default none */
  bq?: tf.Tensor1D;
  /** [C, D] */
  wk: tf.Tensor2D;
  /** [C, Dv] */
  wv: tf.Tensor2D;
  /** [Dv] @default none */
  bv?: tf.Tensor1D;
  /** A scalar: x is added to γ times what was read, so Dv = C. @default what was read alone */
  gamma?: tf.Scalar;
}

export interface CrissCrossOptions {
  /** Factor of the scores. @default 1, as in the paper */
  scale?: number;
  /** Return the weights. @default false */
  weights?: boolean;
}

export type CrissCrossResult<O> = { output: tf.Tensor4D } & Asked<O, "weights", tf.Tensor4D>;

/**
 * Criss-cross attention: each pixel reads its row and its column, in one softmax.
 *
 *     y_p = Σ_{r ∈ cross(p)} α_pr v_r,    α_p = softmax_r(scale · q_p·k_r),    out_p = x_p + γ y_p
 *
 * Symbols: p and r pixels, cross(p) the pixels of p's row and column, H + W − 1 with p itself once; q = x W_q + b_q,
 * k = x W_k, v = x W_v + b_v; γ a scalar, 0 in the beginning.
 * Shapes: x [B, H, W, C], W_q, W_k [C, D], W_v [C, Dv] → output [B, H, W, Dv]; weights [B, H, W, H + W], first the
 * column, where the pixel's own place is 0, then the row.
 * Conventions: it is dense attention under a mask in the shape of a cross, at two calls of the op `attention`: the
 * row, and the column without the pixel itself, joined by their log-sum-exps. Applied twice, every pixel reaches
 * every other (the paper's R = 2). A bias of the keys would change nothing, so there is none. No scale, as in the paper.
 * Cost: O(B·H·W·(H + W)·(D + Dv)), where dense attention takes (H·W)².
 * Paper: Huang et al. 2019, §3.2, arxiv.org/abs/1811.11721.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @draws
 * const x = tf.tensor4d(Array.from({ length: 25 }, (_, e) => [Math.cos(e), Math.sin(e)]).flat(), [1, 5, 5, 2]);
 * const { weights } = crissCrossAttention(x, { wq: tf.eye(2), wk: tf.eye(2), wv: tf.eye(2) }, { weights: true });
 * const w = weights.dataSync();
 * const centres = [[0, 0], [1, 3], [2, 2], [4, 1]];
 * return tf.tensor3d(centres.map(([h, w0]) => [0, 1, 2, 3, 4].map((i) => [0, 1, 2, 3, 4].map((j) => {
 *   const at = (h * 5 + w0) * 10;
 *   return i === h ? w[at + 5 + j] : j === w0 ? w[at + i] : 0;
 * }))));
 * @example
 * const x = tf.randomNormal([1, 4, 6, 8], 0, 1, "float32", 1);
 * const [wq, wk] = [2, 3].map((seed) => tf.randomNormal([8, 2], 0, 1, "float32", seed));
 * const block = { wq, wk, wv: tf.eye(8), gamma: tf.scalar(0) };
 * const { output, weights } = crissCrossAttention(x, block, { weights: true });
 * tf.max(tf.abs(tf.sub(output, x))); // 0
 * weights.shape; // [1, 4, 6, 10]
 */
export function crissCrossAttention<const O extends CrissCrossOptions>(
  x: tf.Tensor4D,
  parameters: CrissCrossParameters,
  options: O = {} as O,
): CrissCrossResult<O> {
  const { scale = 1, weights }: CrissCrossOptions = options;
  const op = "crissCrossAttention";
  const sizes = imageSizes(op, x);
  checkCross(op, parameters, sizes.C);
  checkFinite(op, "scale", scale);
  const { wq, bq, wk, wv, bv, gamma } = parameters;
  return tidyAsked((): CrissCrossResult<CrissCrossOptions> => {
    const projected = { q: linear(x, wq, bq), k: linear(x, wk), v: linear(x, wv, bv) };
    const row = readRows(projected, sizes, { scale, weights });
    const read = sizes.H === 1 ? alone(row) : joined(row, readColumns(projected, sizes, { scale, weights }));
    const output = gamma ? tf.add<tf.Tensor4D>(x, tf.mul(read.output, gamma)) : read.output;
    return { output, ...(read.weights && { weights: read.weights }) };
  });
}

interface Projected {
  q: tf.Tensor4D;
  k: tf.Tensor4D;
  v: tf.Tensor4D;
}

/** What was read along one axis: output [B, H, W, Dv], lse [B, H, W, 1], weights [B, H, W, S]. */
interface Line {
  output: tf.Tensor4D;
  lse: tf.Tensor4D;
  weights?: tf.Tensor4D;
}

function readRows({ q, k, v }: Projected, { B, H, W }: ImageSizes, options: CrissCrossOptions): Line {
  const split = (t: tf.Tensor4D) => tf.reshape(t, [B * H, 1, W, t.shape[3]]) as tf.Tensor4D;
  const { output, lse, weights } = attention(split(q), split(k), split(v), { ...options, lse: true });
  return {
    output: tf.reshape(output, v.shape),
    lse: tf.reshape(lse, [B, H, W, 1]) as tf.Tensor4D,
    ...(weights && { weights: tf.reshape(weights, [B, H, W, W]) as tf.Tensor4D }),
  };
}

/** A column is a head of the sequence of rows; the pixel itself belongs to its row alone. */
function readColumns({ q, k, v }: Projected, { B, H, W }: ImageSizes, options: CrissCrossOptions): Line {
  const others = Uint8Array.from({ length: H * H }, (_, e) => (Math.floor(e / H) === e % H ? 0 : 1));
  const allow = tf.tensor2d(others, [H, H], "bool");
  const { output, lse, weights } = attention(q, k, v, { ...options, lse: true, layout: "bthd", allow });
  return {
    output,
    lse: tf.reshape(tf.transpose(lse, [0, 2, 1]), [B, H, W, 1]) as tf.Tensor4D,
    ...(weights && { weights: tf.transpose(weights, [0, 2, 1, 3]) }),
  };
}

/** Two softmaxes as one: each counts by its share of the sum of exponentials. */
function joined(row: Line, column: Line): Pick<Line, "output" | "weights"> {
  const share = tf.sigmoid(tf.sub(row.lse, column.lse));
  const rest = tf.sigmoid(tf.sub(column.lse, row.lse));
  const output = tf.add<tf.Tensor4D>(tf.mul(row.output, share), tf.mul(column.output, rest));
  if (!row.weights || !column.weights) return { output };
  const parts = [tf.mul<tf.Tensor4D>(column.weights, rest), tf.mul<tf.Tensor4D>(row.weights, share)];
  return { output, weights: tf.concat(parts, 3) };
}

/** An image of one row, whose columns hold nothing else. */
function alone({ output, weights }: Line): Pick<Line, "output" | "weights"> {
  if (!weights) return { output };
  const own = tf.zeros<tf.Rank.R4>([...(weights.shape.slice(0, 3) as [number, number, number]), 1]);
  return { output, weights: tf.concat([own, weights], 3) };
}

function checkCross(op: string, p: CrissCrossParameters, C: number): void {
  const D = columnsOf(op, "wq [C, D]", p.wq);
  const Dv = columnsOf(op, "wv [C, Dv]", p.wv);
  checkTensors(op, [
    { name: "wq", tensor: p.wq, letters: "[C, D]", shape: [C, D] },
    ...optional("bq", p.bq, "[D]", [D]),
    { name: "wk", tensor: p.wk, letters: "[C, D]", shape: [C, D] },
    p.gamma
      ? { name: "wv", tensor: p.wv, letters: "[C, C], with gamma,", shape: [C, C] }
      : { name: "wv", tensor: p.wv, letters: "[C, Dv]", shape: [C, Dv] },
    ...optional("bv", p.bv, "[Dv]", [Dv]),
    ...optional("gamma", p.gamma, "[]", []),
  ]);
}
