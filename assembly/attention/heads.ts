// Many heads in one call, each with its keys packed for itself: what small heads need, whose caller would take longer to
// say what is next than the head takes. A head is computed as by the calls one at a time, to the bit.
//
//     for each group of heads that share keys:   pack k and v;   for each head of it:   forward (or backward)
//
// Ladder: attention() and attentionBackward() with their copies, one thread, Node 20, relaxed build, AMD EPYC; the least
// of 40 to 300 samples on a busy machine (its medians were two to five times as long), and the share of the peak that
// assembly/probes/peak.ts reached in between.
//                                                            512 heads of 16 × 16 × 16    8 heads of 64 × 64 × 64
//   JavaScript enters every head, three to six calls each    1.18 ms   1.81 ms            227 µs (54 %)  483 µs (62 %)
//   all heads in one call                                    0.62      1.09               201    (60 %)  469    (64 %)
//   + structs written without objects, no views for copies   0.51      1.10               180    (66 %)  445    (67 %)
//   + blocks of keys end at tiles of 8, not of 24            0.51      0.93               180    (66 %)  421    (74 %)
// Of the 180 µs kernels take 163, at 75 % of the peak: 6 × 8 tiles over 64 steps spend a fifteenth on their ends, and
// packing, softmax and division are a fifth of so short a head. Copies take about 8 µs, JavaScript 9.
import { at } from "../simd";
import {
  attentionBackward, attentionBackwardKeys, attentionBackwardKeysDone, attentionBackwardQueries,
  attentionBackwardQueriesDone, attentionBackwardScratchBytes,
} from "./backward";
import { attentionForward, attentionKeys, attentionScratchBytes } from "./forward";
import { wide } from "./pack";
import { FEW } from "./decode";
import { Problem } from "./problem";

// Where heads stand, four bytes a field (src/kernels/wasm/attention/heads.ts has the same list). Addresses are those of
// example 0 and head 0, steps are bytes; gradients have the steps of what they are gradients of. Packed sequences have no
// common step from example to example: then theirs is that of a row, and `starts` say at which row each begins.
@unmanaged
export class Heads {
  // What all heads share.
  problem: usize;
  H: i32; Hkv: i32; T: i32; S: i32;
  q: usize; qExample: i32; qHead: i32;
  k: usize; kExample: i32; kHead: i32;
  v: usize; vExample: i32; vHead: i32;
  out: usize; outExample: i32; outHead: i32;
  // [B, H, T], or [H, rows] where sequences are packed; `empty` holds bytes, and 0 says that nobody asks.
  lse: usize; lseLow: usize; empty: usize;
  // [H], or one for all.
  sinks: usize; sinkStep: i32;
  // Lengths that padding leaves, int32 [B]; 0: all of T and S.
  queryLengths: usize; keyLengths: usize;
  // `low` and `high` of each example, or of all.
  bands: usize; bandStep: i32;
  bias: usize; biasExample: i32; biasHead: i32;
  allow: usize; allowExample: i32; allowHead: i32;
  // Backward: `delta` [B, H, T] holds dlse before.
  dout: usize; dq: usize; dk: usize; dv: usize; delta: usize;
  // Packed sequences: the rows at which they begin, int32 [B], and the rows of all; 0: not packed.
  queryStarts: usize; keyStarts: usize; rows: i32;
}

/** How many steps example b stands from the first. */
// @ts-ignore: decorator
@inline function stepsTo(starts: usize, b: i32): i32 {
  return starts ? i32.load(at(starts, b)) : b;
}

/** The place of row 0 of a head among the numbers that each row has one of. */
// @ts-ignore: decorator
@inline function firstRow(x: Heads, b: i32, h: i32): i32 {
  return x.queryStarts ? h * x.rows + i32.load(at(x.queryStarts, b)) : (b * x.H + h) * x.T;
}

// @ts-ignore: decorator
@inline function line(address: usize): usize {
  return (address + 63) & ~63;
}

// @ts-ignore: decorator
@inline function whole(rows: i32): i32 {
  return ((rows + 23) / 24) * 24;
}

// Keys that are packed: none for queries so few that no number of keys makes it worth while, see `isDecode`.
// @ts-ignore: decorator
@inline function packed(T: i32, S: i32): i32 {
  return T <= FEW ? 0 : S;
}

/** Bytes of scratch that one thread needs for attentionHeads. */
export function attentionHeadsBytes(T: i32, S: i32, D: i32, Dv: i32): i32 {
  const keys = packed(T, S), floats = whole(keys) * D + keys * wide(Dv);
  return <i32>line(offsetof<Problem>()) + (floats << 2) + keys + 256 + attentionScratchBytes(D, Dv);
}

/** Forward of groups [first, end) of heads that share keys, numbered b · Hkv + g. */
export function attentionHeads(x: Heads, first: i32, end: i32, scratch: usize): void {
  const p = changetype<Problem>(scratch);
  memory.copy(scratch, x.problem, offsetof<Problem>());
  p.keyPanels = line(scratch + offsetof<Problem>());
  const keys = packed(x.T, x.S);
  p.valueStrips = line(at(p.keyPanels, whole(keys) * p.D));
  p.rowFlags = line(at(p.valueStrips, keys * wide(p.Dv)));
  const rest = line(p.rowFlags + <usize>keys), heads = x.H / x.Hkv;
  for (let group = first; group < end; group++) {
    const b = group / x.Hkv, g = group - b * x.Hkv;
    enterGroup(x, p, b, g);
    attentionKeys(p);
    for (let h = g * heads; h < (g + 1) * heads; h++) {
      enterHead(x, p, b, h);
      attentionForward(p, 0, p.T, rest);
      if (p.T < x.T && !x.queryStarts) pad(x, p);
    }
  }
}

/** Bytes of scratch that one thread needs for attentionHeadsBackward. */
export function attentionHeadsBackwardBytes(T: i32, S: i32, D: i32, Dv: i32): i32 {
  const keys = whole(S) * (D + Dv + wide(D) + wide(Dv)) + S * wide(D);
  const queries = whole(T) * (D + Dv + wide(D)) + T * (wide(D) + wide(Dv));
  return <i32>line(offsetof<Problem>()) + ((keys + queries) << 2) + S + T + 1024 + attentionBackwardScratchBytes();
}

/** Backward of groups [first, end), for as many keys as one part of `keyParts` has. */
export function attentionHeadsBackward(x: Heads, first: i32, end: i32, scratch: usize): void {
  const p = changetype<Problem>(scratch), T = x.T, S = x.S;
  memory.copy(scratch, x.problem, offsetof<Problem>());
  const D = p.D, Dv = p.Dv;
  p.keyPanels = line(scratch + offsetof<Problem>());
  p.valuePanels = line(at(p.keyPanels, whole(S) * D));
  p.keyStrips = line(at(p.valuePanels, whole(S) * Dv));
  p.dkSum = line(at(p.keyStrips, S * wide(D)));
  p.dvSum = line(at(p.dkSum, whole(S) * wide(D)));
  p.queryPanels = line(at(p.dvSum, whole(S) * wide(Dv)));
  p.queryStrips = line(at(p.queryPanels, whole(T) * D));
  p.doutPanels = line(at(p.queryStrips, T * wide(D)));
  p.doutStrips = line(at(p.doutPanels, whole(T) * Dv));
  const dq = line(at(p.doutStrips, T * wide(Dv)));
  p.rowFlags = line(at(dq, whole(T) * wide(D)));
  p.doutFlags = line(p.rowFlags + <usize>S);
  const rest = line(p.doutFlags + <usize>T), heads = x.H / x.Hkv;
  for (let group = first; group < end; group++) {
    const b = group / x.Hkv, g = group - b * x.Hkv;
    const ofQueries = stepsTo(x.queryStarts, b), ofKeys = stepsTo(x.keyStarts, b);
    enterGroup(x, p, b, g);
    p.dk = x.dk + ofKeys * x.kExample + g * x.kHead;
    p.dv = x.dv + ofKeys * x.vExample + g * x.vHead;
    attentionBackwardKeys(p);
    for (let h = g * heads; h < (g + 1) * heads; h++) {
      enterHead(x, p, b, h);
      p.dout = x.dout + ofQueries * x.outExample + h * x.outHead;
      p.dq = x.dq + ofQueries * x.qExample + h * x.qHead;
      p.delta = at(x.delta, firstRow(x, b, h));
      attentionBackwardQueries(p);
      attentionBackward(p, 0, p.T, 0, p.S, dq, 0, 0, rest);
      attentionBackwardQueriesDone(p, dq, 1, 0);
      if (!x.queryStarts) clearRows(p.dq, p.qRow, p.D, p.T, T);
    }
    attentionBackwardKeysDone(p);
    if (x.keyStarts) continue;
    clearRows(p.dk, p.kRow, p.D, p.S, S);
    clearRows(p.dv, p.vRow, p.Dv, p.S, S);
  }
}

function enterGroup(x: Heads, p: Problem, b: i32, g: i32): void {
  const band = x.bands + b * x.bandStep;
  p.b = b;
  p.T = x.queryLengths ? i32.load(at(x.queryLengths, b)) : x.T;
  p.S = x.keyLengths ? i32.load(at(x.keyLengths, b)) : x.S;
  p.low = i32.load(band);
  p.high = i32.load(band, 4);
  const steps = stepsTo(x.keyStarts, b);
  p.k = x.k + steps * x.kExample + g * x.kHead;
  p.v = x.v + steps * x.vExample + g * x.vHead;
}

function enterHead(x: Heads, p: Problem, b: i32, h: i32): void {
  const row = firstRow(x, b, h), steps = stepsTo(x.queryStarts, b);
  p.h = h;
  p.q = x.q + steps * x.qExample + h * x.qHead;
  p.out = x.out + steps * x.outExample + h * x.outHead;
  p.lse = at(x.lse, row);
  p.lseLow = at(x.lseLow, row);
  p.empty = x.empty ? x.empty + <usize>row : 0;
  p.sink = f32.load(x.sinks + h * x.sinkStep);
  if (x.bias) p.bias = x.bias + b * x.biasExample + h * x.biasHead;
  if (x.allow) p.allow = x.allow + b * x.allowExample + h * x.allowHead;
}

// Padded queries see nothing but the sink.
function pad(x: Heads, p: Problem): void {
  clearRows(p.out, p.outRow, p.Dv, p.T, x.T);
  for (let i = p.T; i < x.T; i++) f32.store(at(p.lse, i), p.sink);
  memory.fill(at(p.lseLow, p.T), 0, <usize>(x.T - p.T) << 2);
  if (p.empty) memory.fill(p.empty + <usize>p.T, 0, x.T - p.T);
}

function clearRows(to: usize, row: i32, width: i32, first: i32, end: i32): void {
  for (let r = first; r < end; r++) memory.fill(at(to, r * row), 0, <usize>width << 2);
}
