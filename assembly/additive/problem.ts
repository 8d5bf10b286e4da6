// One call of additive attention as the kernels see it. The caller writes the fields down to `dsink` at an address of
// its choice, in this order, four bytes each (src/kernels/wasm/additive-problem.ts has the same list), and passes the
// address; what follows belongs to the kernels.
import { at } from "../simd";

/** Queries that a run of the backward pass takes together. */
// @ts-ignore: decorator
@inline export const BQ: i32 = 8;

// What a row without a visible key is to do (`onEmpty`).
// @ts-ignore: decorator
@inline export const ERROR: i32 = 1;
// @ts-ignore: decorator
@inline export const UNIFORM: i32 = 2;

@unmanaged
export class Additive {
  // Row-major float32: query [B, T, A], key [B, S, A], v [A], value [B, S, Dv].
  query: usize; key: usize; v: usize; value: usize;
  // Results: out [B, T, Dv], lse [B, T], weights [B, T, S]; address 0: nobody asks for the weights.
  out: usize; lse: usize; weights: usize;
  B: i32; T: i32; S: i32; A: i32; Dv: i32;
  softCap: f32; // 0: none
  // Query i sees keys j with low ≤ j − i − offsets[b] ≤ high; both within ±2²⁹.
  low: i32; high: i32;
  // int32 [B]; address 0: none, and offsets of 0.
  queryLengths: usize; keyLengths: usize; offsets: usize;
  // bias[b, i, j] and allow[b, i, j] by element strides, the last of them 0 or 1; address 0: none.
  bias: usize; biasB: i32; biasT: i32; biasS: i32;
  allow: usize; allowB: i32; allowT: i32; allowS: i32;
  sink: f32; // −Infinity: none
  // Dropout: a weight whose 32 bits are below `threshold` goes; 0: none.
  threshold: u32; keepScale: f32; seedLow: i32; seedHigh: i32;
  onEmpty: i32;
  scratch: usize;
  // Backward only; dlse and dweights may be 0. The caller clears dv, dbias and dsink, which are sums.
  dout: usize; dlse: usize; dweights: usize;
  dquery: usize; dkey: usize; dv: usize; dvalue: usize; dbias: usize; dsink: usize;

  // v padded with zeros; e^2x of the keys of an example and of queries, rows padded with e⁰; where |x| is too large.
  units: usize; keys: usize; queries: usize; wildKeys: usize; wildCount: i32;
  // Rows of one query, by key: scores or weights, soft-cap's slope, dropout's factors, gradients of the weights.
  row: usize; slope: usize; factors: usize; dp: usize;
  // [BQ, S] gradients of scores; sums to dkey, dquery and dv before their last factors.
  ds: usize; keySums: usize; querySums: usize; unitSums: usize;
}

/** Floats of a padded row of A hidden units. */
// @ts-ignore: decorator
@inline export function wideUnits(A: i32): i32 {
  return (A + 3) & ~3;
}

/** Floats of a row of S keys: whole vectors may be written past the last key, and dropout makes sixteen at a time. */
// @ts-ignore: decorator
@inline export function wideRow(S: i32): i32 {
  return ((S + 15) & ~15) + 16;
}

/** Bytes of `problem`. */
export function additiveProblemBytes(): i32 {
  return offsetof<Additive>();
}

/** Bytes of `scratch`: nothing that grows with T or with S · T. */
export function additiveScratchBytes(S: i32, A: i32, backward: i32): i32 {
  const wide = wideUnits(A), row = wideRow(S);
  const forward = wide + S * wide + BQ * wide + row + 4 * row;
  return (forward + (backward ? BQ * row + S * wide + BQ * wide + wide : 0)) << 2;
}

/** Divides `scratch` and pads v. */
export function layout(p: Additive): void {
  const wide = wideUnits(p.A), row = wideRow(p.S);
  p.units = p.scratch;
  p.keys = at(p.units, wide);
  p.queries = at(p.keys, p.S * wide);
  p.wildKeys = at(p.queries, BQ * wide);
  p.row = at(p.wildKeys, row);
  p.slope = at(p.row, row);
  p.factors = at(p.slope, row);
  p.dp = at(p.factors, row);
  p.ds = at(p.dp, row);
  p.keySums = at(p.ds, BQ * row);
  p.querySums = at(p.keySums, p.S * wide);
  p.unitSums = at(p.querySums, BQ * wide);
  memory.fill(p.units, 0, <usize>wide << 2);
  memory.copy(p.units, p.v, <usize>p.A << 2);
}

/** The queries and keys that the lengths of example b leave. */
// @ts-ignore: decorator
@inline export function queriesOf(p: Additive, b: i32): i32 {
  return p.queryLengths ? i32.load(at(p.queryLengths, b)) : p.T;
}
// @ts-ignore: decorator
@inline export function keysOf(p: Additive, b: i32): i32 {
  return p.keyLengths ? i32.load(at(p.keyLengths, b)) : p.S;
}

// @ts-ignore: decorator
@inline function offsetOf(p: Additive, b: i32): i32 {
  return p.offsets ? i32.load(at(p.offsets, b)) : 0;
}

// Where the row of query i begins in bias and allow.
// @ts-ignore: decorator
@inline export function biasRow(p: Additive, array: usize, b: i32, i: i32): usize {
  return at(array, b * p.biasB + i * p.biasT);
}
// @ts-ignore: decorator
@inline export function allowRow(p: Additive, b: i32, i: i32): usize {
  return p.allow + <usize>(b * p.allowB + i * p.allowT);
}

/** The keys [first, last) that band, length and an `allow` that is the same for all keys leave to query i. */
// @ts-ignore: decorator
@inline export function firstKey(p: Additive, b: i32, i: i32): i32 {
  return max(0, i + offsetOf(p, b) + p.low);
}
// @ts-ignore: decorator
@inline export function lastKey(p: Additive, b: i32, i: i32, S: i32): i32 {
  const first = firstKey(p, b, i);
  if (p.allow && !p.allowS && !load<u8>(allowRow(p, b, i))) return first;
  return max(first, min(S, i + offsetOf(p, b) + p.high + 1));
}
