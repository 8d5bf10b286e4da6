import * as tf from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../../core/errors.ts";
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
 * @throws ShapeError RANK, SIZE · OptionError NUMBER_RANGE
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
    throw new ShapeError("SIZE", {
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
  if (!(Number.isSafeInteger(dilation) && dilation >= 1)) {
    const details = { op, name: `${name}dilation`, rule: "an integer ≥ 1", got: dilation };
    throw new OptionError("NUMBER_RANGE", details);
  }
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
 * A dilated convolution: TensorFlow.js has no gradient of its own for one. Pixels that stand `d` apart make d·d small
 * images, over which it is an ordinary convolution.
 */
function dilated(x: tf.Tensor4D, w: tf.Tensor4D, d: number): tf.Tensor4D {
  const [, H, W] = x.shape;
  const [height, width] = w.shape;
  const [top, left] = [(d * (height - 1)) / 2, (d * (width - 1)) / 2];
  const [below, right] = [(d - ((H + 2 * top) % d)) % d, (d - ((W + 2 * left) % d)) % d];
  const small = tf.spaceToBatchND(
    x,
    [d, d],
    [
      [top, top + below],
      [left, left + right],
    ],
  );
  return tf.batchToSpaceND(
    tf.conv2d(small, w, 1, "valid"),
    [d, d],
    [
      [0, below],
      [0, right],
    ],
  );
}
