/** Fixtures of tools/fixtures/sequence.py. */
import { readFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import { distance } from "../support.ts";

export interface Stored {
  shape: number[];
  values: number[];
}

export interface Case {
  name: string;
  H: number;
  layer: number;
  norm: "layer" | "rms";
  epsilon: number;
  state: Record<string, Stored>;
  variables: Record<string, Stored>;
  inputs: Record<string, Stored>;
  padding?: Stored;
  hidden?: Stored;
  mask?: Stored;
  dout: Stored;
  output: Stored;
  weights: Stored;
  gradients: Record<string, Stored>;
}

const folder = path.resolve(import.meta.dirname, "../../fixtures/sequence");

export function casesOf(file: string): [string, Case][] {
  const cases = JSON.parse(readFileSync(path.join(folder, `${file}.json`), "utf8")) as Case[];
  return cases.map((one) => [one.name, one]);
}

export const toTensor = ({ shape, values }: Stored): tf.Tensor => tf.tensor(values, shape, "float32");

/**
 * Holds a function of named tensors to a case: its output to 1e-5, and the gradients of Σ output ⊙ dout to 1e-4 of the
 * largest.
 */
export function expectCase(
  one: Case,
  tensors: Record<string, Stored>,
  f: (x: Record<string, tf.Tensor>) => tf.Tensor,
): void {
  const names = Object.keys(tensors);
  const call = (x: tf.Tensor[]) => f(Object.fromEntries(names.map((name, n) => [name, x[n]!])));
  const given = Object.values(tensors).map(toTensor);
  const output = call(given);
  expect(output.shape).toEqual(one.output.shape);
  expect(distance(output.dataSync(), one.output.values)).toBeLessThanOrEqual(1e-5);
  const gradients = tf.grads((...x: tf.Tensor[]) => call(x))(given, toTensor(one.dout));
  for (const [n, name] of names.entries()) {
    const expected = one.gradients[name]!.values;
    const size = expected.reduce((most, g) => Math.max(most, Math.abs(g)), 1);
    expect(distance(gradients[n]!.dataSync(), expected) / size, name).toBeLessThanOrEqual(1e-4);
  }
}
