import { createTrace, type Trace, type TraceInput, traceTensor } from "../../src/inspect/index.ts";
import { encodePng } from "../../src/viz/index.ts";

export const WORDS = ["The", "cat", "sat", "because", "it", "was", "tired"];

/** Numbers in −1 … 1 that look like noise and are always the same. */
export const noise = (length: number, seed: number) =>
  Float32Array.from(
    { length },
    (_, n) => Math.sin(12.9898 * (n + 1) + 78.233 * seed) * Math.cos(n * n + seed),
  );

/** q, k and their log-sum-exps for causal attention of H heads that share Hkv. */
export function causalLayer(T: number, H: number, Hkv: number, D: number, seed: number) {
  const q = noise(H * T * D, seed).map((x) => 3 * x);
  const k = noise(Hkv * T * D, seed + 1);
  const lse = new Float32Array(H * T);
  for (let h = 0; h < H; h++)
    for (let t = 0; t < T; t++) {
      let sum = 0;
      for (let s = 0; s <= t; s++) {
        let score = 0;
        for (let d = 0; d < D; d++)
          score += q[(h * T + t) * D + d]! * k[(Math.floor((h * Hkv) / H) * T + s) * D + d]!;
        sum += Math.exp(score / Math.sqrt(D));
      }
      lse[h * T + t] = Math.log(sum);
    }
  return {
    alignQ: "src",
    alignK: "src",
    maskSpec: { right: 0 },
    q: traceTensor([H, T, D], q),
    k: traceTensor([Hkv, T, D], k),
    lse: traceTensor([H, T], lse),
  };
}

/** Two causal layers of four heads over seven words. */
export function selfTrace(more: Partial<TraceInput> = {}): Trace {
  const layers = [0, 1].map((l) => ({ name: `block ${l}`, ...causalLayer(7, 4, 2, 16, 5 * l) }));
  return createTrace({ tokens: { src: WORDS }, layers, ...more });
}

/** Rows of positive numbers that sum to 1. */
export function rows(T: number, S: number, seed: number): Float32Array {
  const out = noise(T * S, seed).map((x) => Math.exp(4 * x));
  for (let t = 0; t < T; t++) {
    const row = out.subarray(t * S, (t + 1) * S);
    const sum = row.reduce((a, b) => a + b);
    for (let s = 0; s < S; s++) row[s]! /= sum;
  }
  return out;
}

/** An image of a disc, 24 × 32. */
export const IMAGE = encodePng({
  width: 32,
  height: 24,
  channels: 3,
  data: Uint8Array.from({ length: 24 * 32 * 3 }, (_, n) => {
    const [y, x, c] = [Math.floor(n / 96), Math.floor(n / 3) % 32, n % 3];
    return Math.hypot(y - 9, x - 20) < 5 ? [240, 190, 50][c]! : 40 + 4 * x;
  }),
});

/** Three words over an image of 3 × 4 patches, with a glimpse of each kind and three gates. */
export function imageTrace(more: Partial<TraceInput> = {}): Trace {
  const patches = Array.from({ length: 12 }, (_, n) => `patch ${n}`);
  const attn = traceTensor([1, 3, 12], rows(3, 12, 2));
  return createTrace({
    name: "disc.attn",
    tokens: { tgt: ["a", "yellow", "disc"], patches },
    layers: [{ alignQ: "tgt", alignK: "patches", attn }],
    image: IMAGE,
    grid: { height: 3, width: 4, patch: 8, cls: 0 },
    glimpses: [
      traceTensor([6], [5, 1, 0.8, 16, 1.2, 0.9]),
      traceTensor([2, 3], [0.4, 0.1, 0.2, -0.1, 0.4, -0.1]),
    ],
    gates: {
      channels: traceTensor(
        [20],
        noise(20, 3).map((x) => x * x),
      ),
      strip: traceTensor(
        [3, 9],
        noise(27, 4).map((x) => x * x),
      ),
      spatial: traceTensor(
        [3, 4],
        noise(12, 5).map((x) => x * x),
      ),
    },
    ...more,
  });
}
