/** What the layers of sparse self-attention share: projections to heads and back, and padding. */
import * as tf from "@tensorflow/tfjs-core";
import { fromHeads, toHeads } from "../../attention/sequence/project.ts";
import { ShapeError } from "../../core/errors.ts";
import {
  boolMask,
  byDefault,
  flag,
  integer,
  optional,
  required,
  seed,
  type WeightTable,
  weightFields,
} from "../base/index.ts";

export const selfInputs = [{ name: "x", letters: "[B, T, C]" }];
export const selfFields = {
  /** H */
  numHeads: required(integer(1)),
  /** D, the width of one head. */
  keyDim: required(integer(1)),
  /** Key and value heads; they divide numHeads. @default numHeads */
  numKeyValueHeads: optional(integer(1)),
  /** Biases of all projections. @default true */
  useBias: byDefault(flag(), true),
  ...weightFields("kernel", "glorotUniform"),
  ...weightFields("bias", "zeros"),
  seed: seed(),
};
type Table = WeightTable<typeof selfFields>;

/** Sizes of a projection, and whether it has a bias. */
export interface Heads {
  readonly H: number;
  readonly Hkv: number;
  readonly D: number;
  readonly useBias: boolean;
}

/** The weights of projections by name: `<name>/kernel` [C, n, D], `<name>/bias` [n, D]. */
export function headWeights(names: Readonly<Record<string, "H" | "Hkv">>, heads: Heads, C: number): Table {
  const { D, useBias } = heads;
  const entries = Object.entries(names).flatMap(([name, letter]) => {
    const n = heads[letter];
    return [
      [`${name}/kernel`, { shape: [C, n, D], kind: "kernel", matrix: [C, n * D] }],
      [`${name}/bias`, useBias && { shape: [n, D], kind: "bias" }],
    ] as const;
  });
  return Object.fromEntries(entries) as Table;
}

/** The weights of the way back to the model's width. */
export function outputWeights({ H, D, useBias }: Heads, C: number): Table {
  return {
    "attention_output/kernel": { shape: [H, D, C], kind: "kernel", matrix: [H * D, C] },
    "attention_output/bias": useBias && { shape: [C], kind: "bias" },
  };
}

type Weight = (name: string) => tf.Tensor | undefined;

/** x [B, T, C] in a projection of its own: [B, n, T, D]. */
export function headsOf(x: tf.Tensor3D, name: string, weight: Weight): tf.Tensor4D {
  const w = weight(`${name}/kernel`) as tf.Tensor3D;
  return tf.transpose(toHeads(x, w, weight(`${name}/bias`) as tf.Tensor2D | undefined), [0, 2, 1, 3]);
}

/** Heads [B, H, T, D] back to [B, T, C]. */
export function outputOf(heads: tf.Tensor4D, weight: Weight): tf.Tensor3D {
  const [w, b] = [weight("attention_output/kernel"), weight("attention_output/bias")];
  return fromHeads(tf.transpose(heads, [0, 2, 1, 3]), w as tf.Tensor3D, b as tf.Tensor1D | undefined);
}

/**
 * What a mask of x [B, T] says: how many positions of each example are there, and x with zeros in the others, which
 * may hold anything. The mask is read from the device.
 *
 * @throws ShapeError SIZE when padding does not come last
 */
export function unpadded(
  op: string,
  x: tf.Tensor3D,
  mask: tf.Tensor | undefined,
): { x: tf.Tensor3D; keyLengths: number[] | undefined; present: tf.Tensor | undefined } {
  const [B, T] = x.shape;
  const bool = boolMask(op, "the mask of x [B, T, C]", mask, [B, T]);
  if (!bool) return { x, keyLengths: undefined, present: undefined };
  const whole = tf.logicalAnd(bool, tf.ones([B, T], "bool"));
  const cells = whole.dataSync();
  const keyLengths = Array.from({ length: B }, (_, b) => {
    const row = Array.from(cells.subarray(b * T, (b + 1) * T));
    const length = row.lastIndexOf(1) + 1;
    const hole = row.indexOf(0);
    if (hole >= 0 && hole < length) {
      throw new ShapeError("SIZE", {
        op,
        rule: "the mask of x must be true up to each example's length and false after it",
        got: `false at position ${hole} of example ${b} and true after it`,
        remedy: "pad sequences at the end",
      });
    }
    return length;
  });
  const present = tf.expandDims(whole, 2);
  return { x: tf.where(present, x, 0) as tf.Tensor3D, keyLengths, present };
}
