import * as tf from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import { checkTensors } from "../../ops/check.ts";
import { linear } from "../../ops/linear.ts";
import { tidy } from "../../ops/tidy.ts";
import { columnsOf, imageSizes, optional } from "./check.ts";
import { type Convolution, checkConvolution, convolve } from "./convolution.ts";
import { notifyGate } from "./gated.ts";
import { expectedNorm, type Norm, normalized } from "./norm.ts";

export interface SelectiveKernelParameters {
  /** M convolutions of x, of different size or dilation, each from C channels to O; a relu follows each. */
  branches: readonly Convolution[];
  /** [O, R] */
  w1: tf.Tensor2D;
  /** [R] @default none */
  b1?: tf.Tensor1D;
  /** After w1 and b1, over R. @default none */
  norm?: Norm;
  /** [R, M·O], the logits of branch 0 first. */
  w2: tf.Tensor2D;
}

export interface SelectiveKernelResult {
  /** [B, H, W, O] */
  output: tf.Tensor4D;
  /** [B, M, O], sums to 1 over the M branches. */
  weights: tf.Tensor3D;
}

/**
 * Selective kernel unit: each channel chooses between receptive fields by what the image holds.
 *
 *     u_m = relu(norm(f_m(x))),    z = relu(norm(W₁ mean_hw Σ_m u_m + b₁)),    a_mc = softmax_m(W₂ z)_mc
 *     out_hwc = Σ_m a_mc u_m,hwc
 *
 * Symbols: x images, f_m convolutions (3×3, and 3×3 with dilation 2 for a field of 5×5), u_m their outputs, z the
 * narrow summary, a the weights of the branches, M their number.
 * Shapes: x [B, H, W, C], filters [height, width, C, O], W₁ [O, R], b₁ [R], W₂ [R, M·O] → output [B, H, W, O],
 * weights [B, M, O].
 * Conventions: the weights of a channel sum to 1 over the branches. Normalisations are folded into a scale and a shift,
 * or functions. Cost: the convolutions', and O(B·O·(M·H·W + M·R)).
 * Paper: Li et al. 2019, §3.1, arxiv.org/abs/1903.06586, whose A and B are the halves of W₂.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @draws
 * const x = tf.tensor4d(Array.from({ length: 1728 }, (_, e) => +((Math.floor(e / 12) + Math.floor(e / 144)) % (2 + (e % 12)) < 2)), [1, 12, 12, 12]);
 * const eye = tf.eye(12);
 * const spread = (size) => tf.mul(tf.ones([size, size, 1, 1]), tf.reshape(tf.div(eye, size * size), [1, 1, 12, 12]));
 * const branches = [{ w: spread(1) }, { w: spread(3) }, { w: spread(5) }];
 * const w2 = tf.concat([tf.mul(eye, 9), tf.mul(eye, 6), tf.mul(eye, -3)], 1);
 * return selectiveKernel(x, { branches, w1: eye, b1: tf.fill([12], -0.8), w2 }).weights;
 * @example
 * const x = tf.ones([1, 4, 4, 2]);
 * const w = tf.ones([3, 3, 2, 2]);
 * const branches = [{ w }, { w, dilation: 2 }];
 * const { weights } = selectiveKernel(x, { branches, w1: tf.ones([2, 1]), w2: tf.zeros([1, 4]) });
 * weights; // [[[0.5, 0.5], [0.5, 0.5]]]
 */
export function selectiveKernel(
  x: tf.Tensor4D,
  parameters: SelectiveKernelParameters,
): SelectiveKernelResult {
  const op = "selectiveKernel";
  const { C } = imageSizes(op, x);
  const { branches, w1, b1, norm, w2 } = parameters;
  const M = branches.length;
  if (M === 0) {
    const remedy = "give two convolutions of different size";
    throw new ShapeError("SHAPE", {
      op,
      rule: "branches must hold M ≥ 1 convolutions",
      got: "M = 0",
      remedy,
    });
  }
  const O = checkConvolution(op, "branches[0].", branches[0]!, C);
  for (const [m, branch] of branches.entries()) checkConvolution(op, `branches[${m}].`, branch, C, O);
  const R = columnsOf(op, "w1 [O, R]", w1);
  checkTensors(op, [
    { name: "w1", tensor: w1, letters: "[O, R]", shape: [O, R] },
    ...optional("b1", b1, "[R]", [R]),
    ...expectedNorm("norm", norm, "R", R),
    { name: "w2", tensor: w2, letters: "[R, M·O]", shape: [R, M * O] },
  ]);
  return tidy(() => {
    const fields = branches.map((branch) => tf.relu(convolve(x, branch)));
    const summary = tf.mean<tf.Tensor2D>(tf.addN(fields), [1, 2]);
    const narrow = tf.relu(normalized(linear(summary, w1, b1), norm));
    const logits = tf.reshape(linear(narrow, w2), [-1, M, O]);
    const weights = tf.transpose(tf.softmax(tf.transpose(logits, [0, 2, 1])), [0, 2, 1]) as tf.Tensor3D;
    const share = (m: number) => tf.reshape(tf.slice(weights, [0, m, 0], [-1, 1, O]), [-1, 1, 1, O]);
    const output = tf.addN(fields.map((field, m) => tf.mul<tf.Tensor4D>(field, share(m))));
    notifyGate(op, "weights", weights);
    return { output, weights };
  });
}
