/** Options of mechanisms without heads, [B, T, S], as the attention program of one head takes them. */
import { expandDims, reshape, Tensor, type Tensor1D } from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import { notBroadcast } from "../../core/faults.ts";
import type { AttentionProgram, ProgramOptions } from "../../core/program.ts";
import { allowTensor } from "./allow.ts";

/** What a query may see; all of it composes. */
export interface HeadlessMask
  extends Pick<ProgramOptions<Tensor>, "causal" | "queryOffset" | "window" | "onEmptyRow" | "softCap"> {
  /** `true` where a query may attend: bool [T, S] or [B, T, S], any length may be 1. */
  allow?: Tensor;
  /** Added to the scores: float [T, S] or [B, T, S], any length may be 1. */
  bias?: Tensor;
  /** Valid queries per example [B]; a tensor is read from the device. */
  queryLengths?: ArrayLike<number> | Tensor1D;
  /** Valid keys per example [B]; a tensor is read from the device. */
  keyLengths?: ArrayLike<number> | Tensor1D;
}

/**
 * The mask as the program takes it: lengths in ordinary memory, an axis of one head in `allow` and `bias`.
 *
 * @throws ShapeError SHAPE
 */
export function headlessMask(
  op: string,
  { B, T, S }: { B: number; T: number; S: number },
  given: HeadlessMask,
): ProgramOptions<Tensor> {
  const withHead = (name: string, array: Tensor | undefined) => {
    if (!array || array.rank === 2) return array;
    const expected = [B, T, S];
    if (array.rank !== 3 || array.shape.some((n, axis) => n !== 1 && n !== expected[axis])) {
      throw new ShapeError(
        "SHAPE",
        notBroadcast({ op, name, letters: "[B, T, S]", expected, got: array.shape }),
      );
    }
    return expandDims(array, 1);
  };
  const read = (lengths: ArrayLike<number> | Tensor1D | undefined) =>
    lengths instanceof Tensor ? lengths.dataSync() : lengths;
  return {
    ...given,
    allow: withHead("allow", given.allow),
    bias: withHead("bias", given.bias),
    queryLengths: read(given.queryLengths),
    keyLengths: read(given.keyLengths),
  };
}

/** A program's mask and bias as tensors that broadcast to scores [B, T, S]. */
export function headlessParts(program: AttentionProgram<Tensor>) {
  const withoutHead = (x: Tensor | undefined) =>
    x?.rank === 4 ? reshape(x, [x.shape[0]!, x.shape[2]!, x.shape[3]!]) : x;
  return { allow: withoutHead(allowTensor(program)), bias: withoutHead(program.bias?.array) };
}
