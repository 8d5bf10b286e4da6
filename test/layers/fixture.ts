/** Vectors that tools/fixtures/layers.py wrote, and layers compared with them. */
import { readFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import type { layers } from "@tensorflow/tfjs-layers";
import { expect } from "vitest";
import { distance } from "../attention/support.ts";

const folder = path.resolve(import.meta.dirname, "../fixtures/layers");

export interface FixtureArray {
  shape: number[];
  values: number[];
}
export type FixtureArrays = Record<string, FixtureArray>;

export function fixture<T>(name: string): T {
  return JSON.parse(readFileSync(path.join(folder, `${name}.json`), "utf8"));
}

export function toTensor({ shape, values }: FixtureArray, dtype: "float32" | "bool" = "float32"): tf.Tensor {
  return tf.tensor(values, shape, dtype);
}

/** float32 sums of the sizes here (up to about 50 products of numbers near 1), in another order: outputs and gradients. */
export const OUTPUTS = 1e-5;
export const GRADIENTS = 1e-4;

/** Gives the weights of a layer by the names they have in the file. */
export function setWeights(layer: layers.Layer, weights: FixtureArrays): void {
  const names = layer.weights.map(({ originalName }) => originalName.slice(originalName.indexOf("/") + 1));
  expect(names).toEqual(Object.keys(weights));
  layer.setWeights(Object.values(weights).map((array) => toTensor(array)));
}

/** Gradients of Σ output ⊙ dout for inputs and weights, by the names of both. */
export function expectGradients(
  layer: layers.Layer,
  inputs: readonly tf.Tensor[],
  names: readonly string[],
  run: (inputs: tf.Variable[]) => tf.Tensor,
  dout: tf.Tensor,
  expected: FixtureArrays,
): void {
  const variables = inputs.map((x) => tf.variable(x));
  const weights = layer.weights.map((weight) => weight.read() as tf.Variable);
  const { grads } = tf.variableGrads(() => tf.sum(tf.mul(run(variables), dout)), [...variables, ...weights]);
  const byName = [
    ...names.map((name, at) => [name, variables[at]!] as const),
    ...layer.weights.map(
      ({ originalName }, at) => [originalName.replace(/^[^/]*\//, ""), weights[at]!] as const,
    ),
  ];
  expect(byName.map(([name]) => name).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, variable] of byName) {
    const difference = distance(grads[variable.name]!.dataSync(), expected[name]!.values);
    expect(difference, `gradient of ${name}`).toBeLessThanOrEqual(GRADIENTS);
  }
}
