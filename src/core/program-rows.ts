/** What the paths ask a compiled program, one row or one element at a time. */
import { hostModification } from "./expression/modification.ts";
import type { ArrayInfo, HostArray } from "./notation.ts";
import type { AttentionProgram, Broadcast, DropoutPlan } from "./program.ts";
import { philoxInto, words } from "./random.ts";

/** The keys [start, end) that lengths, causality and window leave to query i; empty when start ≥ end. */
export function bandRange(
  i: number,
  offset: number,
  left: number,
  right: number,
  queryLength: number,
  keyLength: number,
): [start: number, end: number] {
  if (i >= queryLength) return [0, 0];
  return [Math.max(0, i + offset - left), Math.min(keyLength, i + offset + right + 1)];
}

/**
 * The keys [start, end) that lengths, causality and window leave to query i of example b; empty when start ≥ end.
 * The same for all heads; `allow` may hide more.
 */
export function keyRange(program: AttentionProgram, b: number, i: number): [start: number, end: number] {
  const { queryLengths, keyLengths, left, right, shapes } = program;
  const lengths = [queryLengths?.[b] ?? Infinity, keyLengths?.[b] ?? shapes.S] as const;
  return bandRange(i, offsetOf(program, b), left, right, ...lengths);
}

/** The key position of example b's first query. */
export function offsetOf({ offset }: AttentionProgram, b: number): number {
  return typeof offset === "number" ? offset : offset[b]!;
}

/** True when something hides a key from a query. */
export function hasMask(program: AttentionProgram): boolean {
  return Boolean(program.allow || program.queryLengths || program.keyLengths) || hasBand(program);
}

/** True when causality or a window hides keys. */
export function hasBand({ left, right }: AttentionProgram): boolean {
  return left !== Infinity || right !== Infinity;
}

/** The index into a repeated array's values for element (b, h, i, j). */
export function indexOf(
  { strides }: Broadcast<ArrayInfo>,
  b: number,
  h: number,
  i: number,
  j: number,
): number {
  return b * strides[0] + h * strides[1] + i * strides[2] + j * strides[3];
}

/** Whether query i may attend to key j: the range, `allow`, `maskMod` and a bias that is not −∞ together. */
export function isAllowed(
  program: AttentionProgram<HostArray>,
  b: number,
  h: number,
  i: number,
  j: number,
): boolean {
  const [start, end] = keyRange(program, b, i);
  if (j < start || j >= end) return false;
  const { allow, bias, modification } = program;
  if (bias && bias.array.values[indexOf(bias, b, h, i, j)] === -Infinity) return false;
  if (allow && allow.array.values[indexOf(allow, b, h, i, j)] === 0) return false;
  return modification ? hostModification(modification).allows(b, h, i, j) : true;
}

/** A number beyond float32's range is infinite on every path, those that compute in float64 included. */
function float32Range(x: number): number {
  const rounded = Math.fround(x);
  return Math.abs(rounded) === Infinity ? rounded : x;
}

/** q·k → the score that the softmax sees: scale, then soft-cap, then bias, then `scoreMod`. */
export function transformScore(
  program: AttentionProgram<HostArray>,
  product: number,
  b: number,
  h: number,
  i: number,
  j: number,
): number {
  const score = unmodifiedScore(program, product, b, h, i, j);
  const { modification } = program;
  return modification ? float32Range(hostModification(modification).change(score, b, h, i, j)) : score;
}

/** The score that `scoreMod` is given. */
export function unmodifiedScore(
  program: AttentionProgram<HostArray>,
  product: number,
  b: number,
  h: number,
  i: number,
  j: number,
): number {
  const { scale, softCap, bias } = program;
  let score = float32Range(scale * product);
  if (softCap !== undefined) score = softCap * Math.tanh(score / softCap);
  return bias ? float32Range(score + bias.array.values[indexOf(bias, b, h, i, j)]!) : score;
}

/** The sink's logit for head h, or −∞ without one. */
export function sinkOf({ sink }: AttentionProgram<HostArray>, h: number): number {
  if (sink === undefined) return -Infinity;
  return typeof sink === "number" ? sink : sink.values[h]!;
}

/**
 * The factors of one row's weights under dropout, 0 or 1/(1 − rate), of S keys from key `first` on, written to `out` from
 * `offset`.
 *
 * Key j takes lane j mod 4 of philox([⌊j/4⌋, i, h, b], seed), so the factor depends on (seed, b, h, i, j) alone:
 * not on T and S, nor on the path or thread that asks.
 */
export function dropoutRow(
  { seed, threshold, keepScale }: DropoutPlan,
  b: number,
  h: number,
  i: number,
  S: number,
  out: Float32Array | Float64Array,
  offset = 0,
  first = 0,
): void {
  const [k0, k1] = words(seed);
  const bits = new Uint32Array(4);
  for (let n = 0; n < S; n++) {
    const j = first + n;
    if (n === 0 || j % 4 === 0) philoxInto(bits, 0, Math.floor(j / 4), i, h, b, k0, k1);
    out[offset + n] = bits[j % 4]! < threshold ? 0 : keepScale;
  }
}
