import fc from "fast-check";
import { denseMap } from "../../src/inspect/map/dense.ts";
import type { AttentionMap } from "../../src/inspect/map/map.ts";
import { type MaskSpec, visibleKeys } from "../../src/inspect/mask.ts";
import { traceTensor } from "../../src/inspect/trace/tensor.ts";
import type { LayerInput, Trace } from "../../src/inspect/trace/trace.ts";
import { createTrace } from "../../src/inspect/trace/write.ts";

/** Numbers from −1 to 1, the same for the same seed (mulberry32). */
export function randomNumbers(length: number, seed: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * 2 - 1;
  });
}

export interface Oracle {
  readonly q: Float64Array;
  readonly k: Float64Array;
  readonly lse: Float64Array;
  /** [H, T, S] */
  readonly weights: Float64Array;
}

/** Attention by the formula, in float64: q·k·scale, softCap, bias, mask, softmax. */
export function attend(
  sizes: { H: number; Hkv: number; T: number; S: number; D: number },
  options: {
    seed?: number;
    maskSpec?: MaskSpec;
    softCap?: number;
    bias?: (h: number, t: number, s: number) => number;
    allow?: (h: number, t: number, s: number) => boolean;
  } = {},
): Oracle {
  const { H, Hkv, T, S, D } = sizes;
  const { seed = 1, maskSpec, softCap, bias = () => 0, allow = () => true } = options;
  // Rounded, so that a trace of float32 holds the very numbers.
  const q = randomNumbers(H * T * D, seed).map((x) => Math.fround(2 * x));
  const k = randomNumbers(Hkv * S * D, seed + 1).map((x) => Math.fround(2 * x));
  const weights = new Float64Array(H * T * S);
  const lse = new Float64Array(H * T);
  for (let h = 0; h < H; h++)
    for (let t = 0; t < T; t++) {
      const [start, end] = visibleKeys(maskSpec, t, S);
      const scores: number[] = [];
      for (let s = 0; s < S; s++) {
        let dot = 0;
        const g = Math.floor((h * Hkv) / H);
        for (let d = 0; d < D; d++) dot += q[(h * T + t) * D + d]! * k[(g * S + s) * D + d]!;
        let score = dot / Math.sqrt(D);
        if (softCap !== undefined) score = softCap * Math.tanh(score / softCap);
        const visible = s >= start && s < end && allow(h, t, s);
        scores.push(visible ? score + bias(h, t, s) : -Infinity);
      }
      const sum = scores.reduce((total, score) => total + Math.exp(score), 0);
      lse[h * T + t] = Math.log(sum);
      for (let s = 0; s < S; s++) weights[(h * T + t) * S + s] = sum > 0 ? Math.exp(scores[s]!) / sum : 0;
    }
  return { q, k, lse, weights };
}

export const names = (prefix: string, length: number): string[] =>
  Array.from({ length }, (_, i) => `${prefix}${i}`);

/** A trace with one of everything that a trace can hold. */
export function fullTrace(): Trace {
  const { q, k, lse, weights } = attend(
    { H: 4, Hkv: 2, T: 5, S: 5, D: 3 },
    { maskSpec: { right: 0 }, seed: 3 },
  );
  const cross = attend({ H: 2, Hkv: 2, T: 5, S: 7, D: 3 }, { seed: 5 });
  const visible = Array.from({ length: 4 * 5 * 5 }, (_, e) => e % 5 <= Math.floor(e / 5) % 5);
  const self: LayerInput = {
    name: "decoder.self",
    alignQ: "tgt",
    alignK: "tgt",
    maskSpec: { right: 0 },
    q: traceTensor([4, 5, 3], q),
    k: traceTensor([2, 5, 3], k),
    lse: traceTensor([4, 5], lse),
    attn: traceTensor([4, 5, 5], weights, "u8log", visible),
    vnorm: traceTensor([2, 5], randomNumbers(10, 7).map(Math.abs), "f16"),
    thumb: traceTensor([4, 2, 2], new Float64Array(16).fill(0.5), "u8log"),
  };
  const other: LayerInput = {
    alignQ: "tgt",
    alignK: "src",
    attn: traceTensor([2, 5, 7], cross.weights, "f16"),
    mask: traceTensor([5, 7], new Uint8Array(35).fill(1), "bool"),
    grad: traceTensor([2, 5, 7], randomNumbers(70, 9)),
    scores: { raw: traceTensor([2, 5, 7], randomNumbers(70, 11), "f64") },
  };
  return createTrace({
    name: "a full one",
    tokens: { src: names("s", 7), tgt: ["<s>", "</script>", "\u001b[31m", "tea", "🍵"] },
    layers: [self, other],
    image: Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 7),
    grid: { height: 2, width: 3, patch: 16, cls: 1 },
    glimpses: [traceTensor([6], [1, 2, 3, 4, 5, 6]), traceTensor([2, 3], [1, 0, 0, 0, 1, 0])],
    glimpseSizes: [
      [4, 3],
      [5, 5],
    ],
    gates: { channels: traceTensor([3], [0.5, 1, 0]) },
  });
}

/** Rows of `width` numbers that sum to 1. */
export const distributions = (rows: number, width: number): fc.Arbitrary<Float64Array> =>
  fc
    .array(fc.double({ min: 0.01, max: 1, noNaN: true }), {
      minLength: rows * width,
      maxLength: rows * width,
    })
    .map((numbers) => {
      const out = Float64Array.from(numbers);
      for (let r = 0; r < rows; r++) {
        const row = out.subarray(r * width, (r + 1) * width);
        const sum = row.reduce((total, x) => total + x, 0);
        for (let s = 0; s < width; s++) row[s]! /= sum;
      }
      return out;
    });

/** One head of T × S, nothing hidden unless the mask says so. */
export const head = (T: number, S: number, weights: ArrayLike<number>, maskSpec?: MaskSpec): AttentionMap =>
  denseMap({ H: 1, T, S, weights, ...(maskSpec ? { maskSpec } : {}) });
