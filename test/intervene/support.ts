import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import type { Intervention } from "../../src/intervene/index.ts";

/** A prime for each dimension but for the heads, of which three share one of two key heads. */
export const [B, H, Hkv, T, S, D, Dv] = [2, 6, 2, 5, 7, 3, 11] as const;

export const random = <X extends tf.Tensor = tf.Tensor4D>(shape: number[], seed: number) =>
  tf.randomNormal(shape, 0, 1, "float32", seed) as unknown as X;

export const makeInputs = () =>
  [random([B, H, T, D], 1), random([B, Hkv, S, D], 2), random([B, Hkv, S, Dv], 3)] as const;

type Cube = (b: number, h: number, t: number, s: number) => number;

export interface OracleInputs {
  readonly q: tf.Tensor;
  readonly k: tf.Tensor;
  readonly v: tf.Tensor;
  /** @default everything */
  readonly visible?: (t: number, s: number) => boolean;
}

const listOf = (given: number | readonly number[] | undefined) =>
  given === undefined ? undefined : [given].flat();

/** Whether a weight is in the place of an intervention. */
export function isIn(one: Intervention, b: number, h: number, t: number, s: number): boolean {
  const { examples, heads, queries, keys, edges } = one as {
    examples?: number;
    heads?: number;
    queries?: number;
    keys?: number;
    edges?: [number, number][];
  };
  const inList = (list: number | undefined, at: number) => listOf(list)?.includes(at) ?? true;
  const inEdges = edges?.some(([i, j]) => i === t && j === s) ?? true;
  return inList(examples, b) && inList(heads, h) && inList(queries, t) && inList(keys, s) && inEdges;
}

/** Attention in plain loops in float64, with every intervention written out: the weights and the output, flat. */
export function oracle(
  { q, k, v, visible = () => true }: OracleInputs,
  interventions: readonly Intervention[],
) {
  const [Q, K, V] = [q.dataSync(), k.dataSync(), v.dataSync()];
  const group = (h: number) => Math.floor((h * Hkv) / H);
  const value = (b: number, h: number, s: number, d: number) => V[((b * Hkv + group(h)) * S + s) * Dv + d]!;
  const isShared = (one: Intervention) => one.do === "knockOut" && one.weight !== "lost";
  const hides = (b: number, h: number, t: number, s: number) =>
    !visible(t, s) || interventions.some((one) => isShared(one) && isIn(one, b, h, t, s));
  const exponentials = cube((b, h, t, s) => {
    if (hides(b, h, t, s)) return 0;
    let dot = 0;
    for (let d = 0; d < D; d++)
      dot += Q[((b * H + h) * T + t) * D + d]! * K[((b * Hkv + group(h)) * S + s) * D + d]!;
    return Math.exp(dot / Math.sqrt(D));
  });
  let weights = exponentials.map((one, e) => {
    const row = Math.floor(e / S) * S;
    return one === 0 ? 0 : one / exponentials.slice(row, row + S).reduce((a, b) => a + b, 0);
  });
  for (const one of interventions) {
    const before = weights;
    const w: Cube = (b, h, t, s) => before[((b * H + h) * T + t) * S + s]!;
    const changed: Cube = (b, h, t, s) => {
      if (!isIn(one, b, h, t, s)) return w(b, h, t, s);
      if (one.do === "knockOut") return one.weight === "lost" ? 0 : w(b, h, t, s);
      if (one.do === "scale") return w(b, h, t, s) * one.by;
      if (one.do === "pin") return pinned(one.weights, one, h, t)[s]!;
      if (one.do !== "swap") return w(b, h, t, s);
      const other = (at: number) => {
        const [x, y] = one.between;
        return at === x ? y : at === y ? x : at;
      };
      if (one.of === "heads") return w(b, other(h), t, s);
      return one.of === "queries" ? w(b, h, other(t), s) : w(b, h, t, other(s));
    };
    weights = cube(changed);
  }
  const output: number[] = [];
  for (let row = 0; row < B * H * T; row++)
    for (let d = 0; d < Dv; d++) {
      const [b, h] = [Math.floor(row / (H * T)), Math.floor(row / T) % H];
      let sum = 0;
      for (let s = 0; s < S; s++) {
        const weight = weights[row * S + s]!;
        if (weight !== 0) sum += weight * value(b, h, s, d);
      }
      output.push(sum);
    }
  return { weights, output };
}

export function cube(f: Cube): number[] {
  return Array.from({ length: B * H * T * S }, (_, e) =>
    f(Math.floor(e / (H * T * S)), Math.floor(e / (T * S)) % H, Math.floor(e / S) % T, e % S),
  );
}

function pinned(weights: unknown, one: Intervention, h: number, t: number): number[] {
  const { heads, queries } = one as { heads?: number; queries?: number };
  let rows = weights as unknown[];
  if (Array.isArray((rows[0] as unknown[])?.[0])) rows = rows[listOf(heads)?.indexOf(h) ?? h] as unknown[];
  if (Array.isArray(rows[0])) rows = rows[listOf(queries)?.indexOf(t) ?? t] as unknown[];
  return rows as number[];
}

/** Sums of some ten products of numbers below 10 in float32 after a softmax: 1e-5 is ten times their rounding. */
export function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5) {
  expect(got.length).toBe(expected.length);
  for (let e = 0; e < got.length; e++)
    expect(Math.abs(got[e]! - expected[e]!), `element ${e}: ${got[e]} and ${expected[e]}`).toBeLessThan(
      tolerance,
    );
}

/** Heads first, from a layout. */
export const inLayout = <X extends tf.Tensor>(x: tf.Tensor, layout: "bhtd" | "bthd") =>
  (layout === "bthd" ? tf.transpose(x, [0, 2, 1, 3]) : x) as X;
