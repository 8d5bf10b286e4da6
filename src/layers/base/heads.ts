/** Projections of sequences to heads and back: their fields, their weights, and the two acts, `project` and `join`. */

import * as tf from "@tensorflow/tfjs-core";
import { fromHeads, toHeads } from "../../attention/sequence/project.ts";
import { ShapeError } from "../../core/errors.ts";
import { unevenHeads } from "../../core/faults.ts";
import { byDefault, flag, integer, optional, required, seed, weightFields } from "./fields.ts";
import type { WeightTable } from "./layer.ts";

/** Sizes of heads by Keras' names. */
export const headSizes = {
  /** H */
  numHeads: required(integer(1)),
  /** D, the width of one head's queries and keys. */
  keyDim: required(integer(1)),
  /** Dv, the width of one head's values. @default keyDim */
  valueDim: optional(integer(1)),
};

/** The fields of the weights of all projections. */
export const projectionFields = {
  /** Biases of all projections. @default true */
  useBias: byDefault(flag(), true),
  ...weightFields("kernel", "glorotUniform"),
  ...weightFields("bias", "zeros"),
  /** The seed of initial weights, and of what is drawn in training. @default another one each time */
  seed: seed(),
};

/** Throws unless Hkv heads of keys and values can be shared evenly by H query heads. */
export function checkSharing(op: string, H: number, Hkv = H): void {
  if (H % Hkv !== 0) throw new ShapeError("HEADS", unevenHeads({ op, H, Hkv, option: "numKeyValueHeads" }));
}

export type HeadWeights = WeightTable<typeof projectionFields>;

/** Reads a weight by the name that the functions here gave it; undefined where the layer has none. */
export type Weights = (name: string) => tf.Tensor | undefined;

/** The kernel [C, H, D] and bias [H, D] of one projection to heads. */
export function headWeights(
  name: string,
  [C, H, D]: readonly [number, number, number],
  useBias: boolean,
): HeadWeights {
  return {
    [`${name}/kernel`]: { shape: [C, H, D], kind: "kernel", matrix: [C, H * D] },
    [`${name}/bias`]: useBias && { shape: [H, D], kind: "bias" },
  };
}

/** The kernel [H, Dv, …output] and bias [output] of the projection of all heads. */
export function outputWeights(
  [H, Dv, ...output]: readonly [number, number, ...number[]],
  useBias: boolean,
): HeadWeights {
  const width = output.reduce((all, n) => all * n, 1);
  return {
    "attention_output/kernel": { shape: [H, Dv, ...output], kind: "kernel", matrix: [H * Dv, width] },
    "attention_output/bias": useBias && { shape: output, kind: "bias" },
  };
}

/** The heads of x [B, N, C] by the weights of one name: [B, N, H, D]. */
export function project(weight: Weights, name: string, x: tf.Tensor3D): tf.Tensor4D {
  const [w, b] = [weight(`${name}/kernel`), weight(`${name}/bias`)];
  return toHeads(x, w as tf.Tensor3D, b as tf.Tensor2D | undefined);
}

/** Heads [B, T, H, Dv] through the output's projection: [B, T, C]. */
export function join(weight: Weights, heads: tf.Tensor4D): tf.Tensor3D {
  const [w, b] = [weight("attention_output/kernel"), weight("attention_output/bias")];
  return fromHeads(heads, w as tf.Tensor3D, b as tf.Tensor1D | undefined);
}

/** [B, N, H, D] as [B, H, N, D], and back. */
export function swapped(heads: tf.Tensor4D): tf.Tensor4D {
  return tf.transpose(heads, [0, 2, 1, 3]);
}
