import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import { distance, random, tensor } from "../support.ts";

/** The tensors that a mechanism takes, by name. */
export type Inputs = Record<string, tf.Tensor>;

/** Steps and widths of keys and values that are different primes. Small ones: differences ask four times an element. */
export const SIZES = [
  { B: 1, H: 2, T: 3, D: 2, Dv: 5 },
  { B: 2, H: 1, T: 5, D: 3, Dv: 2 },
  { B: 1, H: 3, T: 2, D: 5, Dv: 3 },
] as const;

/** Normal numbers as a tensor. */
export function drawn<T extends tf.Tensor = tf.Tensor4D>(
  seed: number,
  shape: readonly number[],
  size = 1,
): T {
  const { values } = random(seed, shape);
  return tensor<T>({ shape, dtype: "float32", values: values.map((value) => value * size) });
}

/** Numbers between two bounds. */
export function between<T extends tf.Tensor = tf.Tensor4D>(
  seed: number,
  shape: readonly number[],
  low: number,
  high: number,
): T {
  return tf.tidy(() => tf.add(tf.mul(tf.sigmoid(drawn<tf.Tensor>(seed, shape)), high - low), low) as T);
}

/** x at least 0.1 from 0, where features may have a kink that differences would step over. */
export function away<T extends tf.Tensor>(x: T): T {
  return tf.tidy(() => tf.add(x, tf.mul(tf.sign(x), 0.1)) as T);
}

export interface QkvSizes {
  B: number;
  H: number;
  Hkv?: number;
  T: number;
  S?: number;
  D: number;
  Dv: number;
}

export function qkv(seed: number, { B, H, Hkv = H, T, S = T, D, Dv }: QkvSizes) {
  return {
    q: away(drawn(seed, [B, H, T, D])),
    k: away(drawn(seed + 1, [B, Hkv, S, D])),
    v: drawn(seed + 2, [B, Hkv, S, Dv]),
  };
}

/** Keys of length 1. */
export function unit(k: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => tf.div(k, tf.norm(k, 2, 3, true)));
}

/** Expects b to be a to `tolerance` of a's largest element. */
export function expectClose(
  a: tf.Tensor | ArrayLike<number>,
  b: tf.Tensor | ArrayLike<number>,
  tolerance: number,
  what = "",
): void {
  const [x, y] = [a, b].map((one) => (one instanceof tf.Tensor ? one.dataSync() : one)) as [
    ArrayLike<number>,
    ArrayLike<number>,
  ];
  const size = Array.from(x).reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  expect(distance(y, x), what).toBeLessThanOrEqual(tolerance * size);
}

/** The output of a function of named tensors, and the gradients of all of them, weighted by cos(1 + e). */
export function withGradients(f: (inputs: Inputs) => tf.Tensor, inputs: Inputs) {
  return tf.tidy(() => {
    const names = Object.keys(inputs);
    const call = (...tensors: tf.Tensor[]) =>
      f(Object.fromEntries(names.map((name, n) => [name, tensors[n]!])));
    const output = call(...Object.values(inputs));
    const cotangents = Float32Array.from({ length: output.size }, (_, e) => Math.cos(1 + e));
    const gradients = tf.grads(call)(Object.values(inputs), tf.tensor(cotangents, output.shape));
    return {
      output: output.dataSync(),
      gradients: Object.fromEntries(names.map((name, n) => [name, gradients[n]!.dataSync()])),
    };
  });
}

/** Expects two functions to agree in value and in all gradients. */
export function expectSame(
  f: (inputs: Inputs) => tf.Tensor,
  g: (inputs: Inputs) => tf.Tensor,
  inputs: Inputs,
  tolerance = 1e-5,
): void {
  const [a, b] = [withGradients(f, inputs), withGradients(g, inputs)];
  expectClose(a.output, b.output, tolerance, "output");
  for (const name of Object.keys(inputs)) {
    expect(
      a.gradients[name]!.some((value) => value !== 0),
      `gradient of ${name}`,
    ).toBe(true);
    expectClose(a.gradients[name]!, b.gradients[name]!, tolerance, `gradient of ${name}`);
  }
}

interface Stored {
  shape: number[];
  values: number[];
}

export interface FixtureCase {
  name: string;
  options: Record<string, unknown>;
  inputs: Record<string, Stored>;
  output: Stored;
  gradients: Record<string, Stored>;
  onnx?: Stored;
  onnxState?: Stored;
}

/** The cases that tools/fixtures/linear.py wrote. */
export function fixture(name: string): FixtureCase[] {
  const url = new URL(`../../fixtures/linear/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(url, "utf8")) as { cases: FixtureCase[] }).cases;
}

/** Expects outputs to 1e-5 and gradients to 1e-4 of what the fixture holds. */
export function expectFixture(
  { inputs, output, gradients }: FixtureCase,
  f: (inputs: Inputs) => tf.Tensor,
): void {
  const tensors = Object.fromEntries(
    Object.entries(inputs).map(([key, { shape, values }]) => [key, tf.tensor(values, shape)]),
  );
  const got = withGradients(f, tensors);
  expectClose(output.values, got.output, 1e-5, "output");
  for (const [key, { values }] of Object.entries(gradients)) {
    expectClose(values, got.gradients[key]!, 1e-4, `gradient of ${key}`);
  }
}

/** The first n steps of x [B, H, T, ...]. */
export function firstSteps<T extends tf.Tensor>(x: T, from: number, to: number): T {
  return tf.slice(
    x,
    x.shape.map((_, axis) => (axis === 2 ? from : 0)),
    x.shape.map((size, axis) => (axis === 2 ? to - from : size)),
  ) as T;
}

/** One example of x. */
export function example<T extends tf.Tensor>(x: T, b: number, steps = x.shape[2]!): T {
  return tf.slice(
    x,
    x.shape.map((_, axis) => (axis === 0 ? b : 0)),
    x.shape.map((size, axis) => (axis === 0 ? 1 : axis === 2 ? steps : size)),
  ) as T;
}

/** x with NaN in the positions of example b from `from` on, or wherever `where` says. */
export function spoil<T extends tf.Tensor>(x: T, where: (b: number, t: number) => boolean): T {
  const [, H, T] = x.shape as [number, number, number];
  const row = x.size / (x.shape[0]! * H * T);
  const values = x.dataSync().map((value, e) => {
    const position = Math.floor(e / row);
    return where(Math.floor(position / T / H), position % T) ? Number.NaN : value;
  });
  return tf.tensor(values, x.shape) as T;
}

/** The gradient of a sum is finite everywhere, for every input. */
export function gradientsOf(f: (inputs: Inputs) => tf.Tensor, inputs: Inputs) {
  return withGradients(f, inputs).gradients;
}

/** The exact text of what a call throws. */
export function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing was thrown";
}
