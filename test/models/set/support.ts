import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import type { Parameters } from "../../../src/models/parameters.ts";
import { namedGradients } from "../../../src/train/named-gradients.ts";

interface Model {
  readonly parameters: Parameters;
  dispose(): void;
}

/** What is saved of a model: its numbers by name. */
export function valuesOf({ parameters }: Model): Record<string, Float32Array> {
  const entries = Object.entries(parameters.variables);
  return Object.fromEntries(
    entries.map(([name, variable]) => [name, variable.dataSync().slice() as Float32Array]),
  );
}

/** Every parameter has a finite gradient of this loss, and all but those in `still` one that is not 0. */
export function expectGradients(
  { parameters }: Model,
  loss: () => tf.Scalar,
  still: readonly string[] = [],
): void {
  const { grads, loss: value } = namedGradients(parameters.variables, () => tf.tidy(loss));
  expect(Number.isFinite(value)).toBe(true);
  for (const name of Object.keys(parameters.variables)) {
    const gradient = grads[name]?.dataSync();
    expect(gradient?.every(Number.isFinite), name).toBe(true);
    if (still.some((ending) => name.endsWith(ending))) continue;
    expect(
      gradient!.some((d: number) => d !== 0),
      name,
    ).toBe(true);
  }
  tf.dispose(grads);
}

/** A model of the values of another gives its numbers, bit for bit; both leave nothing behind, nor does a call. */
export function expectReloads<M extends Model>(
  make: (start: number | Record<string, Float32Array>) => M,
  run: (model: M) => tf.Tensor,
): void {
  const { numTensors } = tf.memory();
  const first = make(3);
  const answer = (model: M) => tf.tidy(() => [...run(model).dataSync()]);
  const expected = answer(first);
  const inUse = tf.memory().numTensors;
  expect(answer(first)).toEqual(expected);
  expect(tf.memory().numTensors).toBe(inUse);
  const saved = valuesOf(first);
  const again = make(
    JSON.parse(JSON.stringify(Object.entries(saved).map(([name, x]) => [name, [...x]]))).reduce(
      (all: Record<string, Float32Array>, [name, x]: [string, number[]]) =>
        Object.assign(all, { [name]: Float32Array.from(x) }),
      {},
    ),
  );
  expect(answer(again)).toEqual(expected);
  const other = make(4);
  expect(answer(other)).not.toEqual(expected);
  for (const model of [first, again, other]) model.dispose();
  expect(tf.memory().numTensors).toBe(numTensors);
}
