import * as tf from "@tensorflow/tfjs-core";
import type { Expected } from "../../ops/check.ts";
import { optional } from "./check.ts";

/**
 * Batch normalisation in its inference form, folded into one factor and one term a channel:
 *
 *     scale = γ/√(variance + ε),    shift = β − mean·scale
 */
export interface FoldedNorm {
  /** [C] */
  scale: tf.Tensor1D;
  /** [C] */
  shift: tf.Tensor1D;
}

/** Folded, or any function of the activations that keeps their shape, such as a BatchNormalization layer in training. */
export type Norm = FoldedNorm | (<T extends tf.Tensor>(x: T) => T);

/** x normalised, or x itself without a norm. */
export function normalized<T extends tf.Tensor>(x: T, norm: Norm | undefined): T {
  if (!norm) return x;
  if (typeof norm === "function") return norm(x);
  return tf.add(tf.mul(x, norm.scale), norm.shift);
}

/** What a folded norm must be, for `checkTensors`. */
export function expectedNorm(
  name: string,
  norm: Norm | undefined,
  letter: string,
  width: number,
): Expected[] {
  if (!norm || typeof norm === "function") return [];
  return [
    ...optional(`${name}.scale`, norm.scale, `[${letter}]`, [width]),
    ...optional(`${name}.shift`, norm.shift, `[${letter}]`, [width]),
  ];
}
