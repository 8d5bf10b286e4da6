/** Small models that tools/fixtures/hugging_face.py wrote, and the same ones here. */
import { readFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import type { Checkpoint } from "../../../src/checkpoints/index.ts";
import { loadPretrained } from "../../../src/models/index.ts";
import type { Transformer } from "../../../src/models/transformer/index.ts";

export interface FixtureArray {
  shape: number[];
  values: number[];
}

export interface Fixture {
  /** Its config.json, of which entries with their default may be missing. */
  config: Record<string, unknown>;
  state: Record<string, FixtureArray>;
  inputs: Record<string, FixtureArray> & { lengths?: number[] };
  outputs: Record<string, FixtureArray> & { attentions?: FixtureArray[] };
}

const folder = path.resolve(import.meta.dirname, "../../fixtures/transformer");

export function fixture(name: string): Fixture {
  return JSON.parse(readFileSync(path.join(folder, `${name}.json`), "utf8"));
}

export function ids({ shape, values }: FixtureArray): tf.Tensor2D {
  return tf.tensor2d(values, shape as [number, number], "int32");
}

/** The weights of a fixture as a checkpoint that was opened. */
export function checkpointOf(state: Fixture["state"]): Checkpoint {
  const infos = Object.entries(state).map(
    ([name, { shape, values }]) => [name, { dtype: "F32", shape, bytes: 4 * values.length }] as const,
  );
  return {
    format: "safetensors",
    tensors: new Map(infos),
    metadata: new Map(),
    read: async (name) => Float32Array.from(state[name]!.values),
    close: async () => {},
  };
}

/** The model of a fixture. */
export function loaded({ state, config }: Fixture): Promise<Transformer> {
  return loadPretrained(checkpointOf(state), config);
}
