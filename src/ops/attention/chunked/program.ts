/** A program cut into chunks of queries × keys, each a program of its own. */
import * as tf from "@tensorflow/tfjs-core";
import type { AttentionProgram, Broadcast } from "../../../core/program.ts";
import { keyRange, offsetOf } from "../../../core/program-rows.ts";

type Program = AttentionProgram<tf.Tensor>;

/** Queries or keys [first, end). */
export type Range = readonly [first: number, end: number];

export interface ChunkSizes {
  /** Queries of a chunk. */
  readonly queryChunkSize: number;
  /** Keys of a chunk. */
  readonly keyChunkSize: number;
}

/** Of one head 1 MB of scores. */
export const DEFAULT_CHUNKS: ChunkSizes = { queryChunkSize: 256, keyChunkSize: 1024 };

/** 0 … n in ranges of `size`, of which the last may be shorter. */
export function cut(n: number, size: number): Range[] {
  return Array.from({ length: Math.ceil(n / size) }, (_, at) => [at * size, Math.min(n, (at + 1) * size)]);
}

/** How a range of keys looks from a chunk of queries, as far as band and lengths say. */
export type Visibility = "none" | "some" | "all";

/** The visibility of ranges of keys from queries [i0, i1) of all examples. */
export function visibilityFrom(program: Program, [i0, i1]: Range): (keys: Range) => Visibility {
  const ranges: Range[] = [];
  for (let b = 0; b < program.shapes.B; b++) {
    for (let i = i0; i < i1; i++) ranges.push(keyRange(program, b, i));
  }
  return ([j0, j1]) => {
    if (ranges.every(([start, end]) => start <= j0 && end >= j1)) return "all";
    return ranges.some(([start, end]) => Math.max(start, j0) < Math.min(end, j1)) ? "some" : "none";
  };
}

/**
 * The program of queries [i0, i1) and keys [j0, j1): what band, lengths, `allow` and `bias` say of them. Sink and dropout are
 * those of whole rows; `isOpen` says that band and lengths hide nothing there.
 */
export function chunkProgram(program: Program, [i0, i1]: Range, [j0, j1]: Range, isOpen: boolean): Program {
  const { shapes, queryLengths, keyLengths, bias, allow } = program;
  const within = (lengths: Int32Array | undefined, first: number, end: number) =>
    lengths?.map((n) => Math.max(0, Math.min(end, n) - first));
  const part = (x: Broadcast<tf.Tensor> | undefined) =>
    x && { ...x, array: sliceOf(x.array, [i0, i1], [j0, j1]) };
  return {
    ...program,
    shapes: { ...shapes, T: i1 - i0, S: j1 - j0 },
    bias: part(bias),
    allow: part(allow),
    offset: Int32Array.from({ length: shapes.B }, (_, b) => offsetOf(program, b) + i0 - j0),
    ...(isOpen
      ? { left: Infinity, right: Infinity, queryLengths: undefined, keyLengths: undefined }
      : { queryLengths: within(queryLengths, i0, i1), keyLengths: within(keyLengths, j0, j1) }),
    sink: undefined,
  };
}

/** Rows and columns of an array [..., T, S], where lengths of 1 stay. */
function sliceOf(x: tf.Tensor, [i0, i1]: Range, [j0, j1]: Range): tf.Tensor {
  const begin = x.shape.map(() => 0);
  const size = x.shape.slice();
  for (const [axis, first, end] of [
    [x.rank - 2, i0, i1],
    [x.rank - 1, j0, j1],
  ] as const) {
    if (x.shape[axis] === 1) continue;
    begin[axis] = first;
    size[axis] = end - first;
  }
  return tf.slice(x, begin, size);
}

/** Positions [first, end) of heads [B, H, T, D]. */
export function rowsOf(x: tf.Tensor, [first, end]: Range): tf.Tensor {
  const [B, H, , D] = x.shape as [number, number, number, number];
  return tf.slice(x, [0, 0, first, 0], [B, H, end - first, D]);
}
