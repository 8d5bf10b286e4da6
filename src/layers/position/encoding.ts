/** What the layers that add a position to each vector share. */
import * as tf from "@tensorflow/tfjs-core";
import { byDefault, flag, type LayerCall, ours } from "../base/index.ts";

export const encodingInputs = [{ name: "x", letters: "[B, T, C]" }];
/** The position of the first vector, as with a cache of earlier ones. */
export const encodingOptions = ["startIndex"];
export const encodingFields = {
  /** Returns x + encoding; without it, as KerasHub does, the encoding alone, as large as x. @default false */
  add: ours(byDefault(flag(), false)),
};

/** Encodings [T, C] for every example, added to x if wanted. */
export function encoded(x: tf.Tensor, encoding: tf.Tensor2D, add: boolean): tf.Tensor {
  // A sum with zeros repeats the encoding; zeros do not hold what x may hold.
  return tf.add(add ? x : tf.zeros(x.shape), encoding);
}

/** The option `startIndex` of a call. */
export function startOf({ kwargs }: LayerCall): number {
  return (kwargs.startIndex as number | undefined) ?? 0;
}
