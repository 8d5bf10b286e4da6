/** Attention over packed rows: several sequences one after another in a row, which see themselves alone. */
import * as tf from "@tensorflow/tfjs-core";
import { checkCorners } from "../../core/corners.ts";
import { OptionError } from "../../core/errors.ts";
import type { AttentionShapes } from "../../core/notation.ts";
import { compileProgram, type ProgramOptions } from "../../core/program.ts";
import { float } from "../registry.ts";
import { fusedAttention, hasAttentionKernels } from "./fused.ts";
import { ofNothing } from "./guard.ts";
import { attentionCalls } from "./observe.ts";
import { type AttentionWants, runAttention } from "./run.ts";

/** The lengths of the sequences of each row, in order. */
export type Segments = readonly (readonly number[])[];

/** The length of the longest sequence, at least 1. */
export const longestOf = (segments: Segments): number =>
  segments.flat().reduce((most, n) => Math.max(most, n), 1);

export type PackedProgramOptions = Omit<
  ProgramOptions<tf.Tensor>,
  "queryLengths" | "keyLengths" | "queryOffset" | "onEmptyRow"
>;

/** Rows of queries [B, T, H, D] and of keys [B, S, Hkv, D], and what stands in them. */
export interface PackedTensors {
  readonly q: tf.Tensor4D;
  readonly k: tf.Tensor4D;
  readonly v: tf.Tensor4D;
  readonly segments: Segments;
  readonly keySegments: Segments;
}

/** Sequences of all rows in the order in which they stand, those that stand for padding among them. */
interface Examples {
  readonly queries: number[];
  readonly keys: number[];
}

/**
 * Output [B, T, H, Dv]; 0 in padding. On backends with kernels in place: what keeps sequences apart is where each begins.
 * Elsewhere, and where somebody records the call, each is an example of a padded batch.
 *
 * @throws OptionError OPTION, CONFLICT · and what `compileProgram` throws
 */
export function packedRows(
  op: string,
  shapes: AttentionShapes,
  { q, k, v, segments, keySegments }: PackedTensors,
  options: PackedProgramOptions,
  wants: AttentionWants,
): tf.Tensor4D {
  const { B, T, S, H, Hkv, D, Dv } = shapes;
  checkSegments(op, "segments", segments, B, "T", T);
  checkSegments(op, "keySegments", keySegments, B, "S", S);
  const row = segments.findIndex((own, b) => own.length !== keySegments[b]!.length);
  if (row >= 0) {
    throw new OptionError("OPTION", {
      op,
      rule: "segments and keySegments must have as many sequences in each row",
      got: `${segments[row]!.length} and ${keySegments[row]!.length} in row ${row}`,
      remedy: "give a length of 0 to a sequence that has none",
    });
  }
  if (B * T * S === 0) return ofNothing([q, k, v], [B, T, H, Dv]) as tf.Tensor4D;
  const [longestT, longestS] = [longestOf(segments), longestOf(keySegments)];
  checkCorners(op, options, segments.flat(), keySegments.flat());
  const { queries, keys } = examplesOf(segments, keySegments, shapes, [longestT, longestS]);
  const sizes = { B: queries.length, T: longestT, S: longestS, H, Hkv, D, Dv };
  const lengths = { queryLengths: queries, keyLengths: keys };
  const program = compileProgram(op, sizes, { ...options, ...lengths });
  if (hasAttentionKernels() && !attentionCalls.observer) {
    const flat = (x: tf.Tensor, rows: number) => float(tf.reshape(x, [B * rows, x.shape[2]!, x.shape[3]!]));
    const tensors = { q: flat(q, T), k: flat(k, S), v: flat(v, S) };
    const made = { output: [B * T, H, Dv], lse: [H, B * T], weights: [] };
    return tf.reshape(fusedAttention(program, "thd", tensors, made).output, [B, T, H, Dv]);
  }
  const take = (x: tf.Tensor, rows: number, places: Int32Array) =>
    tf.reshape<tf.Rank.R4>(
      tf.gather(tf.reshape(x, [B * rows, x.shape[2]! * x.shape[3]!]), tf.tensor1d(places, "int32")),
      [sizes.B, -1, x.shape[2]!, x.shape[3]!],
    );
  const [fromQueries, fromKeys] = [placesOf(queries, longestT), placesOf(keys, longestS)];
  const padded = {
    q: take(q, T, fromQueries),
    k: take(k, S, fromKeys),
    v: take(v, S, fromKeys),
  };
  const { output } = runAttention(program, "bthd", padded, wants);
  const back = Int32Array.from(
    queries.flatMap((n, at) => Array.from({ length: n }, (_, i) => at * longestT + i)),
  );
  const rows = tf.gather(tf.reshape(output, [sizes.B * longestT, H * Dv]), tf.tensor1d(back, "int32"));
  return tf.reshape(rows, [B, T, H, Dv]);
}

/**
 * @param most places of a row, named by `letter`
 * @throws OptionError OPTION
 */
export function checkSegments(
  op: string,
  name: string,
  segments: Segments,
  B: number,
  letter: string,
  most: number,
): void {
  const isSound = (row: unknown) =>
    Array.isArray(row) &&
    row.every((n) => Number.isSafeInteger(n) && n >= 0) &&
    row.reduce((sum, n) => sum + n, 0) <= most;
  if (Array.isArray(segments) && segments.length === B && segments.every(isSound)) return;
  throw new OptionError("OPTION", {
    op,
    name,
    rule: `${name} must be B=${B} rows of integers ≥ 0 that add up to at most ${letter}=${most}`,
    got: JSON.stringify(segments),
    remedy: "give the lengths of the sequences in each row, as packBatch does",
  });
}

/** The sequences; after those of each row its padding, as queries without keys and keys without queries. */
function examplesOf(
  segments: Segments,
  keySegments: Segments,
  { T, S }: AttentionShapes,
  [longestT, longestS]: readonly [number, number],
): Examples {
  const queries: number[] = [];
  const keys: number[] = [];
  for (const [row, own] of segments.entries()) {
    let [freeT, freeS] = [T, S];
    for (const [at, n] of own.entries()) {
      const m = keySegments[row]![at]!;
      queries.push(n);
      keys.push(m);
      freeT -= n;
      freeS -= m;
    }
    for (; freeT > 0; freeT -= longestT) {
      queries.push(Math.min(freeT, longestT));
      keys.push(0);
    }
    for (; freeS > 0; freeS -= longestS) {
      queries.push(0);
      keys.push(Math.min(freeS, longestS));
    }
  }
  return { queries, keys };
}

/** Where each place of a padded batch of such lengths stands in the rows; padding is any place that is there. */
function placesOf(lengths: readonly number[], longest: number): Int32Array {
  const places = new Int32Array(lengths.length * longest);
  let start = 0;
  for (const [n, length] of lengths.entries()) {
    for (let i = 0; i < length; i++) places[n * longest + i] = start + i;
    start += length;
  }
  return places;
}
