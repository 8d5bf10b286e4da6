import * as tf from "@tensorflow/tfjs-core";
import { checkCount } from "../../core/check-options.ts";
import { ShapeError } from "../../core/errors.ts";
import { checkRank } from "../../core/shapes.ts";
import { checkTensors } from "../../ops/check.ts";
import { linear } from "../../ops/linear.ts";
import { optional } from "./check.ts";
import { expectedNorm, type Norm, normalized } from "./norm.ts";

export interface ConvolutionParameters {
  /** [height, width, in, out], TensorFlow's HWIO; height and width odd. */
  w: tf.Tensor4D;
  /** [out] @default none */
  b?: tf.Tensor1D;
  /** After the bias. @default none */
  norm?: Norm;
}

export interface Convolution extends ConvolutionParameters {
  /** Distance of neighbouring taps in pixels, 1 or more. @default 1 */
  dilation?: number;
}

/**
 * Throws unless a convolution takes `input` channels and, where said, gives `output`; gives the channels it gives. The
 * prefix `name` is what stands before its parameters' names in the call.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 */
export function checkConvolution(
  op: string,
  name: string,
  { w, b, norm, dilation = 1 }: Convolution,
  input: number,
  output?: number,
): number {
  checkRank(op, `${name}w [height, width, in, out]`, w, 4);
  const [height, width, , O] = w.shape;
  if (height % 2 === 0 || width % 2 === 0) {
    throw new ShapeError("SHAPE", {
      op,
      rule: `${name}w must have an odd height and width, so that it has a middle`,
      got: `${height} × ${width}`,
      remedy: "use the next odd size",
    });
  }
  const channels = output ?? O;
  checkTensors(op, [
    {
      name: `${name}w`,
      tensor: w,
      letters: "[height, width, in, out]",
      shape: [height, width, input, channels],
    },
    ...optional(`${name}b`, b, "[out]", [channels]),
    ...expectedNorm(`${name}norm`, norm, "out", channels),
  ]);
  checkCount(op, `${name}dilation`, dilation);
  return channels;
}

/** A convolution that keeps height and width: zeros around the image, then bias and normalisation. */
export function convolve(x: tf.Tensor4D, { w, b, norm, dilation = 1 }: Convolution): tf.Tensor4D {
  const [height, width, I, O] = w.shape;
  if (height * width === 1) return normalized(linear(x, tf.reshape(w, [I, O]), b), norm);
  const out = dilation === 1 ? tf.conv2d(x, w, 1, "same") : dilated(x, w, dilation);
  return normalized(b ? tf.add(out, b) : out, norm);
}

/**
 * A dilated convolution with its gradients, which TensorFlow.js has none of: the input's is a dilated convolution
 * with the filter turned round, the filter's a product for each tap, of the pixels that it met and dy.
 */
function dilated(x: tf.Tensor4D, w: tf.Tensor4D, d: number): tf.Tensor4D {
  const convolution = tf.customGrad((...given) => {
    const [x, w, save] = given as unknown as [tf.Tensor4D, tf.Tensor4D, tf.GradSaveFunc];
    save([x, w]);
    const gradFunc = (dy: tf.Tensor4D, [x, w]: tf.Tensor[]) => [
      inputGradient(dy, w as tf.Tensor4D, d),
      filterGradient(x as tf.Tensor4D, dy, w!.shape as tf.Tensor4D["shape"], d),
    ];
    return {
      value: tf.conv2d(x, w, 1, "same", "NHWC", d),
      gradFunc: gradFunc as (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor[],
    };
  });
  return convolution(x, w) as tf.Tensor4D;
}

function inputGradient(dy: tf.Tensor4D, w: tf.Tensor4D, d: number): tf.Tensor4D {
  const turned = tf.transpose(tf.reverse(w, [0, 1]), [0, 1, 3, 2]);
  return tf.conv2d(dy, turned, 1, "same", "NHWC", d);
}

function filterGradient(
  x: tf.Tensor4D,
  dy: tf.Tensor4D,
  [height, width, I, O]: tf.Tensor4D["shape"],
  d: number,
): tf.Tensor4D {
  const [B, H, W] = x.shape;
  const [top, left] = [(d * (height - 1)) / 2, (d * (width - 1)) / 2];
  const padded = tf.pad(x, [
    [0, 0],
    [top, top],
    [left, left],
    [0, 0],
  ]);
  const rows = tf.reshape(dy, [-1, O]) as tf.Tensor2D;
  const taps = Array.from({ length: height * width }, (_, tap) => {
    const [i, j] = [Math.floor(tap / width), tap % width];
    const met = tf.slice(padded, [0, i * d, j * d, 0], [B, H, W, I]);
    return tf.matMul(tf.reshape(met, [-1, I]) as tf.Tensor2D, rows, true);
  });
  return tf.reshape(tf.stack(taps), [height, width, I, O]);
}
