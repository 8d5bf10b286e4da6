/** Small models that tools/fixtures/hugging_face.py wrote, and the same ones here. */
import { readFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import {
  fromPublished,
  fullConfig,
  type PublishedNames,
  Transformer,
  type TransformerConfig,
  transformerParameters,
} from "../../../src/models/transformer/index.ts";

export interface FixtureArray {
  shape: number[];
  values: number[];
}

export interface Fixture {
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

/** A model with the weights of a fixture, whose names may lack a prefix. */
export function loaded(
  { state }: Fixture,
  config: TransformerConfig,
  names: PublishedNames,
  prefix = "",
): Transformer {
  const values = fromPublished(names, transformerParameters(fullConfig(config)), (name) => {
    const array = state[name] ?? state[name.replace(prefix, "")];
    return array && { shape: array.shape, values: Float32Array.from(array.values) };
  });
  return new Transformer(config, values);
}
