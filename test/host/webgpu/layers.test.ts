/**
 * Layers on the webgpu backend: forward, and the gradients of their inputs and weights. `npm test` runs some; `npm run fuzz
 * -- webgpu-backend` all those of docs/LAYERS.md.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { layers as stock } from "@tensorflow/tfjs-layers";
import { describe, expect } from "vitest";
import * as layers from "../../../src/layers/index.ts";
import { layerInputs } from "../../layers/harness.ts";
import { CASES } from "../../layers/table-cases.ts";
import { gpuTest } from "../../support/gpu.ts";
import { on, problemsIn } from "./compare.ts";

type LayerClass = new (args: object) => stock.Layer;
const ofName = layers as unknown as Readonly<Record<string, LayerClass>>;

/** With other kernels each: fused attention, dropout and norms; composed scores; a recurrence; convolutions of features. */
const SOME = ["MultiHeadAttention", "TransformerEncoderLayer", "AdditiveAttention", "MultiScaleRetention"];
const names = process.env.HEED_WEBGPU === "all" ? Object.keys(CASES) : SOME;

describe("the layers on the webgpu backend", () => {
  for (const name of names) gpuTest(`${name} gives the results and gradients of cpu`, () => testLayer(name));
});

async function testLayer(name: string): Promise<void> {
  const [args, given] = CASES[name]!;
  const shapes = given.map((shape) => [...shape]);
  const Class = ofName[name]!;
  await tf.setBackend("cpu");
  const applied = (layer: stock.Layer, inputs: tf.Tensor[]) =>
    [layer.apply(inputs.length === 1 ? inputs[0]! : inputs, { training: true })].flat() as tf.Tensor[];
  const first = new Class({ ...args, seed: 1 });
  tf.dispose(applied(first, layerInputs(shapes)));
  const values = first.weights.map((weight) => {
    const drawn = weight.read();
    return { shape: drawn.shape, data: drawn.dataSync().slice() };
  });
  // A layer of its own each time: some count their calls.
  const make = () => {
    const layer = new Class({ ...args, seed: 1 });
    const inputs = layerInputs(shapes);
    tf.dispose(applied(layer, inputs));
    layer.setWeights(values.map(({ shape, data }) => tf.tensor(data, shape)));
    // The inputs too, so that one that has no gradient has one.
    const call = (...given: tf.Tensor[]) => [...applied(layer, given), ...given];
    return { inputs, call, weights: layer.trainableWeights.length > 0 };
  };
  const truth = await on("cpu", make);
  expect(problemsIn(await on("webgpu", make), truth, 1e-5)).toEqual([]);
}
