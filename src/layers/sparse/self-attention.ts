/** What the layers of sparse self-attention share: projections to heads and back, and padding. */
import * as tf from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import {
  type HeadWeights,
  headSizes,
  joined,
  projected,
  projectionFields,
  swapped,
  type Weights,
  headWeights as weightsOf,
} from "../base/heads.ts";
import { boolMask, integer, optional, zeroHidden } from "../base/index.ts";
import { validLengths } from "../base/valid-lengths.ts";

export const selfInputs = [{ name: "x", letters: "[B, T, C]" }];
const { numHeads, keyDim } = headSizes;
export const selfFields = {
  numHeads,
  /** D, the width of one head. */
  keyDim,
  /** Key and value heads; they divide numHeads. @default numHeads */
  numKeyValueHeads: optional(integer(1)),
  ...projectionFields,
};

/** Sizes of a projection, and whether it has a bias. */
export interface Heads {
  readonly H: number;
  readonly Hkv: number;
  readonly D: number;
  readonly useBias: boolean;
}

/** The weights of projections by name: `<name>/kernel` [C, n, D], `<name>/bias` [n, D]. */
export function headWeights(
  names: Readonly<Record<string, "H" | "Hkv">>,
  heads: Heads,
  C: number,
): HeadWeights {
  const { D, useBias } = heads;
  const tables = Object.entries(names).map(([name, letter]) =>
    weightsOf(name, [C, heads[letter], D], useBias),
  );
  return Object.assign({}, ...tables) as HeadWeights;
}

/** x [B, T, C] in a projection of its own: [B, n, T, D]. */
export function headsOf(x: tf.Tensor3D, name: string, weight: Weights): tf.Tensor4D {
  return swapped(projected(weight, name, x));
}

/** Heads [B, H, T, D] back to [B, T, C]. */
export function outputOf(heads: tf.Tensor4D, weight: Weights): tf.Tensor3D {
  return joined(weight, swapped(heads));
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
  const keyLengths = validLengths(whole as tf.Tensor2D, (b, hole) => {
    throw new ShapeError("SIZE", {
      op,
      rule: "the mask of x must be true up to each example's length and false after it",
      got: `false at position ${hole} of example ${b} and true after it`,
      remedy: "pad sequences at the end",
    });
  });
  return { x: zeroHidden(x, whole), keyLengths, present: tf.expandDims(whole, 2) };
}
