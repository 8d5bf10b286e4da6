import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { expect } from "vitest";

export const fixtures = path.resolve(import.meta.dirname, "../../fixtures/keras");

interface FixtureArray {
  shape: number[];
  dtype: "float32" | "int32";
  values: number[];
}

/** A file that Keras 3 saved. */
export const kerasFile = (name: string) => new Uint8Array(readFileSync(path.join(fixtures, name)));

const cases = (name: string) =>
  JSON.parse(readFileSync(path.join(fixtures, `${name}.json`), "utf8")) as Record<
    "inputs" | "outputs",
    FixtureArray[]
  >;

export const inputsOf = (name: string) =>
  cases(name).inputs.map(({ shape, dtype, values }) => tf.tensor(values, shape, dtype));

/** That a model computes what Keras does, to `tolerance` of the largest number. */
export function expectOutputs(model: LayersModel, name: string, tolerance: number): void {
  const inputs = inputsOf(name);
  const made = model.predict(inputs.length === 1 ? inputs[0]! : inputs);
  const outputs = Array.isArray(made) ? made : [made];
  const wanted = cases(name).outputs;
  expect(outputs.map(({ shape }) => shape)).toEqual(wanted.map(({ shape }) => shape));
  for (const [at, { values }] of wanted.entries()) {
    const got = outputs[at]!.dataSync();
    const scale = Math.max(1, ...values.map(Math.abs));
    const off = Math.max(...values.map((value, n) => Math.abs(value - got[n]!)));
    expect(off / scale, `output ${at} of ${name}`).toBeLessThanOrEqual(tolerance);
  }
  tf.dispose([inputs, outputs]);
}

/** The Python that checks what heed writes: one with keras, h5py and numpy. */
export const python = process.env.HEED_PYTHON ?? "python3";
export const hasKeras =
  spawnSync(python, ["-c", "import keras"], {
    env: { ...process.env, KERAS_BACKEND: "numpy" },
    stdio: "ignore",
  }).status === 0;
