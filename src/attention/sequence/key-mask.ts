/** Masks of mechanisms whose queries all see the same keys. */
import * as tf from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import { notBroadcast } from "../../core/faults.ts";
import type { AttentionOptions } from "../../ops/attention/run.ts";

export interface KeyMask {
  /** `true` where a key may be seen: bool [S] or [B, S], either length may be 1. @default everywhere */
  allow?: tf.Tensor;
}

type Taken =
  | "scale"
  | "keyLengths"
  | "softCap"
  | "sink"
  | "dropout"
  | "training"
  | "onEmptyRow"
  | "weights"
  | "finite";

/** The options of `attention` that mean something where an example has one query. */
export interface SingleQueryOptions extends Pick<AttentionOptions, Taken>, KeyMask {}

/**
 * The mask as the attention program takes it, [1 or B, 1, 1, S].
 *
 * @throws ShapeError SHAPE
 */
export function checkKeyMask(op: string, allow: tf.Tensor | undefined, B: number, S: number): KeyMask {
  if (!allow) return {};
  const [expected, letters] = allow.rank === 1 ? [[S], "[S]"] : [[B, S], "[B, S]"];
  if (allow.rank !== expected.length || allow.shape.some((n, axis) => n !== 1 && n !== expected[axis])) {
    throw new ShapeError("SHAPE", notBroadcast({ op, name: "allow", letters, expected, got: allow.shape }));
  }
  const [b, s] = allow.rank === 1 ? [1, allow.shape[0]!] : allow.shape;
  return { allow: tf.reshape(allow, [b!, 1, 1, s!]) };
}
