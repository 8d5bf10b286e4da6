/** Elements of a set that are there, where sets of a batch differ in size. */
import * as tf from "@tensorflow/tfjs-core";
import { checkKeyMask, type KeyMask } from "../sequence/key-mask.ts";

/** Throws unless `allow` fits; [1 or B, S] of it. @throws ShapeError SHAPE */
export function elementMask(op: string, { allow }: KeyMask, B: number, S: number): tf.Tensor2D | undefined {
  const { allow: checked } = checkKeyMask(op, allow, B, S);
  return checked && (tf.squeeze(checked, [1, 2]) as tf.Tensor2D);
}

/** x [B, S, C] with 0 for elements that are not there: nothing that stands in their place reaches a value or a gradient. */
export function presentElements(x: tf.Tensor3D, allow: tf.Tensor2D | undefined): tf.Tensor3D {
  return allow ? (tf.where(tf.expandDims(allow, 2), x, 0) as tf.Tensor3D) : x;
}
