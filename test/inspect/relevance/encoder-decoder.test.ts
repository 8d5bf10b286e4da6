import { describe, expect, it } from "vitest";
import { type AttributedMap, denseMap, encoderDecoderRelevance } from "../../../src/inspect/index.ts";

const [H, T, S] = [2, 3, 5];
const numbers = (n: number, seed: number) =>
  Float64Array.from({ length: n }, (_, i) => Math.sin(seed + 3 * i + i * i));

function layer(rows: number, columns: number, seed: number): AttributedMap & { weights: Float64Array } {
  const weights = numbers(H * rows * columns, seed).map((x) => Math.fround(Math.abs(x)));
  const map = denseMap({ H, T: rows, S: columns, weights, rowSums: "free" });
  return { map, weights, gradient: numbers(H * rows * columns, seed + 50) };
}

type Matrix = number[][];
const make = (rows: number, columns: number, at: (i: number, j: number) => number): Matrix =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => at(i, j)));
const eye = (n: number) => make(n, n, (i, j) => Number(i === j));
const times = (a: Matrix, b: Matrix) =>
  make(a.length, b[0]!.length, (i, j) => b.reduce((sum, row, m) => sum + a[i]![m]! * row[j]!, 0));
const plus = (a: Matrix, b: Matrix) => make(a.length, a[0]!.length, (i, j) => a[i]![j]! + b[i]![j]!);
const turned = (a: Matrix) => make(a[0]!.length, a.length, (i, j) => a[j]![i]!);

/** Ā of a layer. */
const mean = ({ weights, gradient }: ReturnType<typeof layer>, rows: number, columns: number) =>
  make(rows, columns, (i, j) => {
    let sum = 0;
    for (let h = 0; h < H; h++) {
      const e = (h * rows + i) * columns + j;
      sum += Math.max(0, weights[e]! * gradient[e]!) / H;
    }
    return sum;
  });

/** R̄ of eq. 8 and 9. */
function bar(R: Matrix): Matrix {
  const n = R.length;
  const bare = make(n, n, (i, j) => R[i]![j]! - Number(i === j));
  const sums = bare.map((row) => row.reduce((a, b) => a + b, 0));
  return make(n, n, (i, j) => (sums[i]! > 0 ? bare[i]![j]! / sums[i]! : 0) + Number(i === j));
}

describe("encoderDecoderRelevance", () => {
  it("is the paper's rules in plain matrices, through two encoder and two decoder layers", () => {
    const encoder = [layer(S, S, 1), layer(S, S, 2)];
    const decoder = [3, 4].map((seed) => ({ self: layer(T, T, seed), cross: layer(T, S, seed + 10) }));
    let [Rss, Rtt, Rts] = [eye(S), eye(T), make(T, S, () => 0)];
    for (const one of encoder) Rss = plus(Rss, times(mean(one, S, S), Rss));
    for (const { self, cross } of decoder) {
      const A = mean(self, T, T);
      Rts = plus(Rts, times(A, Rts));
      Rtt = plus(Rtt, times(A, Rtt));
      Rts = plus(Rts, times(turned(bar(Rtt)), times(mean(cross, T, S), bar(Rss))));
    }
    const { weights, map } = encoderDecoderRelevance({ encoder, decoder });
    expect(Math.max(...Rts.flat())).toBeGreaterThan(0.1);
    // Sums of a few dozen products in float64.
    for (const [e, r] of Rts.flat().entries())
      expect(Math.abs(weights[e]! - r)).toBeLessThan(1e-12 * Math.abs(r) + 1e-13);
    expect([map.H, map.T, map.S]).toEqual([1, T, S]);
  });

  it("a decoder layer that reads a plain encoder once gives weight times gradient, where that is above 0", () => {
    const map = denseMap({ H: 1, T: 2, S: 3, weights: [0.5, 0.25, 0.25, 0, 1, 0] });
    const cross = { map, gradient: [2, -4, 4, 9, 0.5, 9] };
    const { weights } = encoderDecoderRelevance({ encoder: [], decoder: [{ cross }] });
    expect([...weights]).toEqual([1, 0, 1, 0, 0.5, 0]);
  });

  it("refuses layers that do not fit, gradients of another size, dropped weights and no decoder", () => {
    const [self, cross] = [layer(T, T, 1), layer(T, S, 2)];
    const ask = (more: Partial<Parameters<typeof encoderDecoderRelevance>[0]>) => () =>
      encoderDecoderRelevance({ encoder: [], decoder: [{ self, cross }], ...more });
    expect(ask({ encoder: [cross] })).toThrow(
      "encoderDecoderRelevance: the map of encoder layer 0 must have 5 queries and 5 keys, got 3 and 5; pass the layers of one model and input",
    );
    expect(ask({ decoder: [{ self: { ...self, gradient: [1] }, cross }] })).toThrow(
      "encoderDecoderRelevance: the gradient of decoder layer 0 must hold [H, T, S] = 18 numbers, got 1",
    );
    const dropped = denseMap({ H: 1, T, S, weights: numbers(T * S, 1), rowSums: "dropped" });
    expect(ask({ decoder: [{ cross: { map: dropped, gradient: numbers(T * S, 2) } }] })).toThrow(
      "weights must be those before dropout, got weights after dropout in layer 0",
    );
    expect(ask({ decoder: [] })).toThrow("the number of decoder layers must be 1 or more, got 0");
  });
});
