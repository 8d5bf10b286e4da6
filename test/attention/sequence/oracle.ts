/** Attention in plain float64 loops over nested arrays, and what compares tensors with them. */
import type * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import { ROUNDING, random, tensor } from "../support.ts";

export type Matrix = number[][];
/** [B][H][T][D] */
export type Heads = number[][][][];

export const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, n) => sum + x * b[n]!, 0);

/** Softmax of the scores that are not −∞, beside a sink. */
export function softmax(scores: readonly number[], sink = Number.NEGATIVE_INFINITY): number[] {
  const most = Math.max(sink, ...scores);
  if (most === Number.NEGATIVE_INFINITY) return scores.map(() => 0);
  const e = scores.map((score) => Math.exp(score - most));
  const total = e.reduce((sum, x) => sum + x, Math.exp(sink - most));
  return e.map((x) => x / total);
}

/** Σ_s w_s v_s */
export const mix = (w: readonly number[], v: readonly number[][]): number[] =>
  (v[0] ?? []).map((_, d) => w.reduce((sum, x, s) => sum + x * v[s]![d]!, 0));

/** x·W + b: x [N][C], w [C][O] */
export const project = (x: Matrix, w: Matrix, b?: readonly number[]): Matrix =>
  x.map((row) => w[0]!.map((_, o) => row.reduce((sum, xc, c) => sum + xc * w[c]![o]!, b ? b[o]! : 0)));

export interface OracleOptions {
  /** @default 1/√D */
  scale?: number;
  /** What a scaled product becomes, −∞ where hidden. @default itself */
  score?: (product: number, b: number, h: number, t: number, s: number) => number;
  sink?: (h: number) => number;
}

/** softmax(scale · q·k) v of every head; query head h reads key head ⌊h·Hkv/H⌋. */
export function attentionOracle(q: Heads, k: Heads, v: Heads, options: OracleOptions = {}) {
  const weights = q.map((heads, b) =>
    heads.map((rows, h) => {
      const keys = k[b]![Math.floor((h * k[b]!.length) / heads.length)]!;
      const { scale = 1 / Math.sqrt(rows[0]!.length), score = (e) => e, sink } = options;
      return rows.map((row, t) =>
        softmax(
          keys.map((key, s) => score(scale * dot(row, key), b, h, t, s)),
          sink?.(h),
        ),
      );
    }),
  );
  const output = weights.map((heads, b) =>
    heads.map((rows, h) => {
      const values = v[b]![Math.floor((h * v[b]!.length) / heads.length)]!;
      return rows.map((w) => mix(w, values));
    }),
  );
  return { weights, output };
}

export const nested = <T = Heads>(x: tf.Tensor): T => x.arraySync() as T;

/** A normal tensor. */
export const normal = <T extends tf.Tensor = tf.Tensor4D>(seed: number, ...shape: number[]): T =>
  tensor<T>(random(seed, shape));

/** The largest difference, in roundings of the largest expected number (or of 1). */
export function roundings(actual: tf.Tensor, expected: unknown): number {
  const numbers = (expected as number[]).flat(Number.POSITIVE_INFINITY) as number[];
  const values = actual.dataSync();
  expect(values.length).toBe(numbers.length);
  const size = numbers.reduce((most, n) => Math.max(most, Math.abs(n)), 1);
  return numbers.reduce((worst, n, e) => {
    const far = Math.abs(values[e]! - n) / (ROUNDING * size);
    return Number.isNaN(far) ? Number.POSITIVE_INFINITY : Math.max(worst, far);
  }, 0);
}
