/** What a program hides, as tensors; and masks of one head as a program takes them. */
import * as tf from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { notBroadcast } from "../../core/faults.ts";
import type { AttentionProgram, ProgramOptions } from "../../core/program.ts";
import { hasBand, hasMask, keyRange } from "../../core/program-rows.ts";
import { maskOfModification } from "./modify.ts";

/**
 * A program's mask as one bool tensor [B or 1, H or 1, T or 1, S], `true` where a query may attend; undefined where
 * nothing is hidden.
 */
export function allowTensor(program: AttentionProgram<tf.Tensor>): tf.Tensor4D | undefined {
  const { allow } = program;
  const own =
    allow && tf.reshape(allow.array, [...new Array(4 - allow.array.rank).fill(1), ...allow.array.shape]);
  const masks = [own, hasMask(program) ? rangeTensor(program) : undefined, maskOfModification(program)];
  const given = masks.filter((mask) => mask !== undefined) as tf.Tensor[];
  if (given.length === 0) return undefined;
  return given.reduce((all, mask) => tf.logicalAnd(all, mask)) as tf.Tensor4D;
}

/** Band and lengths, drawn from the ranges that every path shares. */
function rangeTensor(program: AttentionProgram): tf.Tensor4D | undefined {
  const { queryLengths, keyLengths, shapes } = program;
  if (!hasBand(program) && !queryLengths && !keyLengths) return undefined;
  const { S } = shapes;
  const B = queryLengths || keyLengths ? shapes.B : 1;
  const T = queryLengths || hasBand(program) ? shapes.T : 1;
  const mask = new Uint8Array(B * T * S);
  for (let b = 0; b < B; b++) {
    for (let i = 0; i < T; i++) {
      const [start, end] = keyRange(program, b, i);
      const row = (b * T + i) * S;
      if (start < end) mask.fill(1, row + start, row + end);
    }
  }
  return tf.tensor4d(mask, [B, 1, T, S], "bool");
}

/**
 * Scores with −∞ wherever `allow` is false, by selection: what stood there, even NaN, reaches neither the result nor
 * the gradient. `allow` is bool, of a shape that broadcasts to the scores'.
 *
 * @example
 * maskScores(tf.tensor2d([[1, Number.NaN]]), tf.tensor2d([[1, 0]], [1, 2], "bool")); // [[1, -Infinity]]
 */
export function maskScores<T extends tf.Tensor>(scores: T, allow: tf.Tensor): T {
  const select = tf.customGrad((x, save) => {
    (save as tf.GradSaveFunc)([allow]);
    return {
      value: tf.where(allow, x as tf.Tensor, Number.NEGATIVE_INFINITY),
      gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => tf.where(saved!, dy, 0),
    };
  });
  return select(scores) as T;
}

/** What a query of one head may see, [B, T, S]; all of it composes. */
export interface SingleHeadMask
  extends Pick<ProgramOptions<tf.Tensor>, "causal" | "queryOffset" | "window" | "onEmptyRow" | "softCap"> {
  /** `true` where a query may attend: bool [T, S] or [B, T, S], any length may be 1. */
  allow?: tf.Tensor;
  /** Added to the scores: float [T, S] or [B, T, S], any length may be 1. */
  bias?: tf.Tensor;
  /** Valid queries per example [B]; a tensor is read from the device. */
  queryLengths?: ArrayLike<number> | tf.Tensor1D;
  /** Valid keys per example [B]; a tensor is read from the device. */
  keyLengths?: ArrayLike<number> | tf.Tensor1D;
}

/**
 * The mask as the program takes it: lengths in ordinary memory, an axis of one head in `allow` and `bias`.
 *
 * @throws ShapeError SHAPE · OptionError OPTION for what is no object, whose options would all be left out
 */
export function singleHeadMask(
  op: string,
  { B, T, S }: { B: number; T: number; S: number },
  given: SingleHeadMask,
): ProgramOptions<tf.Tensor> {
  if (typeof given !== "object" || Array.isArray(given)) {
    const got = typeof given === "string" ? given : `a ${typeof given}`;
    const remedy =
      "write { causal: true }, { keyLengths } or { allow }; functions are maskMod of attention in heed/ops";
    throw new OptionError("OPTION", { op, rule: "mask must be a bool tensor or an object", got, remedy });
  }
  const withHead = (name: string, array: tf.Tensor | undefined) => {
    if (!array || array.rank === 2) return array;
    const expected = [B, T, S];
    if (array.rank !== 3 || array.shape.some((n, axis) => n !== 1 && n !== expected[axis])) {
      const fault = notBroadcast({ op, name, letters: "[B, T, S]", expected, got: array.shape });
      throw new ShapeError("SHAPE", fault);
    }
    return tf.expandDims(array, 1);
  };
  const read = (lengths: ArrayLike<number> | tf.Tensor1D | undefined) =>
    lengths instanceof tf.Tensor ? lengths.dataSync() : lengths;
  return {
    ...given,
    allow: withHead("allow", given.allow),
    bias: withHead("bias", given.bias),
    queryLengths: read(given.queryLengths),
    keyLengths: read(given.keyLengths),
  };
}
