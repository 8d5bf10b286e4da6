/** What the sparse mechanisms for one sequence with itself share: T = S, lengths, and their options. */
import type * as tf from "@tensorflow/tfjs-core";
import { checkLengths } from "../../core/check-options.ts";
import { ShapeError } from "../../core/errors.ts";
import type { AttentionShapes } from "../../core/notation.ts";
import { attentionShapes } from "../../core/shapes.ts";
import type { Asked } from "../../ops/tidy.ts";
import { type AttentionPart, mergeAttention } from "./merge-attention.ts";

export interface SparseOptions {
  /** Factor of q·k. @default 1/√D */
  scale?: number;
  /** Valid keys per example, from 0 to S; later ones are padding and are never seen. */
  keyLengths?: ArrayLike<number>;
  /** Return the log-sum-exp of the scores [B, H, T]. @default false */
  lse?: boolean;
}

export type SparseResult<O> = { output: tf.Tensor4D } & Asked<O, "lse", tf.Tensor3D>;

/**
 * The sizes of a sequence that attends to itself, and its examples' lengths.
 *
 * @throws ShapeError RANK, DIMENSION, HEADS, SHAPE · OptionError OPTION
 */
export function selfShapes(
  op: string,
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  keyLengths: ArrayLike<number> | undefined,
): AttentionShapes & { lengths: number[] } {
  const shapes = attentionShapes(op, q, k, v);
  const { B, T, S } = shapes;
  if (T !== S || T === 0) {
    throw new ShapeError("SHAPE", {
      op,
      rule: "queries and keys must be one sequence, T = S ≥ 1",
      got: `T=${T} and S=${S}`,
      remedy: "use blockSparseAttention with a mask of T × S for two sequences",
    });
  }
  const lengths = keyLengths
    ? checkLengths(op, "keyLengths", keyLengths, B, S)
    : new Array<number>(B).fill(S);
  return { ...shapes, lengths };
}

/** The merged parts, with what was asked for. */
export function mergedResult(
  parts: readonly AttentionPart[],
  lse: boolean | undefined,
): SparseResult<SparseOptions> {
  const all = parts.length === 1 ? parts[0]! : mergeAttention(parts);
  return { output: all.output, ...(lse && { lse: all.lse }) };
}
