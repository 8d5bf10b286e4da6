import * as tf from "@tensorflow/tfjs-core";
import { checkTensors } from "../../ops/check.ts";
import { linear } from "../../ops/linear.ts";
import { columnsOf, imageSizes, optional } from "./check.ts";
import { gated } from "./gated.ts";
import { expectedNorm, type Norm, normalized } from "./norm.ts";

export interface CoordinateParameters {
  /** [C, R] */
  w1: tf.Tensor2D;
  /** [R] @default none */
  b1?: tf.Tensor1D;
  /** After w1 and b1. @default none */
  norm?: Norm;
  /** [R, C], for the rows. */
  wh: tf.Tensor2D;
  /** [C] @default none */
  bh?: tf.Tensor1D;
  /** [R, C], for the columns. */
  ww: tf.Tensor2D;
  /** [C] @default none */
  bw?: tf.Tensor1D;
}

export interface CoordinateResult {
  /** [B, H, W, C] */
  output: tf.Tensor4D;
  /** [B, H, 1, C], in (0, 1). */
  rowGate: tf.Tensor4D;
  /** [B, 1, W, C], in (0, 1). */
  columnGate: tf.Tensor4D;
}

/**
 * Coordinate attention: channel gates that know the row and the column.
 *
 *     [p ; q] = hswish(norm(W₁ [mean_w x ; mean_h x] + b₁)),    g_h = σ(W_h p_h + b_h),    g_w = σ(W_w q_w + b_w)
 *     out_hwc = x_hwc · g_hc · g_wc
 *
 * Symbols: x images, p one vector a row, q one a column, hswish(u) = u·clip(u + 3, 0, 6)/6.
 * Shapes: x [B, H, W, C], W₁ [C, R], b₁ [R], W_h, W_w [R, C], b_h, b_w [C] → output [B, H, W, C], rowGate
 * [B, H, 1, C], columnGate [B, 1, W, C].
 * Conventions: rows and columns share W₁ and the normalisation, which is folded into a scale and a shift, or a
 * function over [B, H + W, R]. A gate of one pixel is the product of the two. R is C/32, at least 8, in the paper.
 * Cost: O(B·C·(H·W + (H + W)·R)). Paper: Hou, Zhou & Feng 2021, §3.2, arxiv.org/abs/2103.02907.
 *
 * @throws ShapeError RANK or SHAPE when the shapes do not fit together
 * @draws
 * const x = tf.tensor4d(Array.from({ length: 576 }, (_, e) => +(Math.abs(Math.floor(e / 24) - 7) < 4 && Math.abs((e % 24) - 15) < 6)), [1, 24, 24, 1]);
 * const w = tf.fill([1, 1], 4);
 * const b = tf.tensor1d([-2]);
 * const { rowGate, columnGate } = coordinateAttention(x, { w1: w, wh: w, bh: b, ww: w, bw: b });
 * return tf.mul(rowGate, columnGate);
 * @example
 * const x = tf.ones([1, 2, 3, 4]);
 * const zeros = { w1: tf.zeros([4, 2]), wh: tf.zeros([2, 4]), ww: tf.zeros([2, 4]) };
 * const { rowGate, columnGate } = coordinateAttention(x, zeros);
 * [rowGate.shape, columnGate.shape]; // [[1, 2, 1, 4], [1, 1, 3, 4]]
 */
export function coordinateAttention(x: tf.Tensor4D, parameters: CoordinateParameters): CoordinateResult {
  const op = "coordinateAttention";
  const { B, H, W, C } = imageSizes(op, x);
  const { w1, b1, norm, wh, bh, ww, bw } = parameters;
  const R = columnsOf(op, "w1 [C, R]", w1);
  checkTensors(op, [
    { name: "w1", tensor: w1, letters: "[C, R]", shape: [C, R] },
    ...optional("b1", b1, "[R]", [R]),
    ...expectedNorm("norm", norm, "R", R),
    { name: "wh", tensor: wh, letters: "[R, C]", shape: [R, C] },
    ...optional("bh", bh, "[C]", [C]),
    { name: "ww", tensor: ww, letters: "[R, C]", shape: [R, C] },
    ...optional("bw", bw, "[C]", [C]),
  ]);
  return gated(op, () => {
    const strips = tf.concat([tf.mean<tf.Tensor3D>(x, 2), tf.mean<tf.Tensor3D>(x, 1)], 1);
    const narrow = hswish(normalized(linear(strips, w1, b1), norm));
    const [rows, columns] = tf.split(narrow, [H, W], 1);
    const rowGate = tf.reshape(tf.sigmoid(linear(rows!, wh, bh)), [B, H, 1, C]) as tf.Tensor4D;
    const columnGate = tf.reshape(tf.sigmoid(linear(columns!, ww, bw)), [B, 1, W, C]) as tf.Tensor4D;
    return { output: tf.mul<tf.Tensor4D>(tf.mul(x, columnGate), rowGate), rowGate, columnGate };
  });
}

function hswish<T extends tf.Tensor>(u: T): T {
  return tf.mul(u, tf.mul(tf.clipByValue(tf.add(u, 3), 0, 6), 1 / 6));
}
