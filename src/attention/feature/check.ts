import type * as tf from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import { wrongRank } from "../../core/faults.ts";
import { checkRank } from "../../core/shapes.ts";
import { checkTensors, type Expected } from "../../ops/check.ts";

export interface ImageSizes {
  readonly B: number;
  readonly H: number;
  readonly W: number;
  readonly C: number;
}

/**
 * The sizes of images x [B, H, W, C].
 *
 * @throws ShapeError RANK, or SHAPE when there is no pixel or no channel, or x is not float32
 */
export function imageSizes(op: string, x: tf.Tensor4D): ImageSizes {
  checkRank(op, "x [B, H, W, C]", x, 4);
  checkFeatures(op, x, "[B, H, W, C]");
  const [B, H, W, C] = x.shape;
  return { B, H, W, C };
}

/**
 * The width of features x, whose last axis is C.
 *
 * @throws ShapeError RANK, or SHAPE when an axis after the first is empty or x is not float32
 */
export function checkFeatures(op: string, x: tf.Tensor, letters: string, rank = 1): number {
  if (x.rank < rank)
    throw new ShapeError("RANK", wrongRank({ op, name: "x", rank: `${rank} or more`, shape: x.shape }));
  checkTensors(op, [{ name: "x", tensor: x, letters, shape: x.shape }]);
  if (x.shape.slice(rank > 1 ? 1 : 0).every((n) => n > 0)) return x.shape.at(-1)!;
  throw new ShapeError("SHAPE", {
    op,
    rule: `x ${letters} must hold at least one element an example`,
    got: `shape [${x.shape.join(", ")}]`,
    remedy: "a mean over nothing has no value; leave such inputs out",
  });
}

/** A tensor that may be left out, for `checkTensors`. */
export function optional(
  name: string,
  tensor: tf.Tensor | undefined,
  letters: string,
  shape: number[],
): Expected[] {
  return tensor ? [{ name, tensor, letters, shape }] : [];
}

/** The columns of a matrix, whose rows another tensor must agree with. */
export function columnsOf(op: string, name: string, w: tf.Tensor2D): number {
  checkRank(op, name, w, 2);
  if (w.shape[1] > 0) return w.shape[1];
  throw new ShapeError("SHAPE", {
    op,
    rule: `${name} must have at least one column`,
    got: `shape [${w.shape.join(", ")}]`,
    remedy: "a hidden layer of no width passes nothing on; give it a width of 1 or more",
  });
}
