import * as tf from "@tensorflow/tfjs-core";
import { input, layers, loadLayersModel, model } from "@tensorflow/tfjs-layers";
import { beforeAll, expect, it } from "vitest";
import { MultiHeadAttention } from "../../src/layers/index.ts";
import "../attention/support.ts";

type Symbolic = ReturnType<typeof input>;
const [T, C] = [3, 4];
beforeAll(() => tf.setBackend("cpu"));
const x = () => tf.randomNormal([2, T, C], 0, 1, "float32", 1);
const numbers = (output: unknown) => [...(output as tf.Tensor).dataSync()];

/** Two blocks of x + attention(x, x) behind a projection; `inputs` says how attention is given x. */
function blocks(inputs: (x: Symbolic) => Symbolic | Symbolic[]) {
  const start = input({ shape: [T, C] });
  let at = layers.dense({ units: C, kernelInitializer: "ones" }).apply(start) as Symbolic;
  for (const seed of [1, 2]) {
    const attention = new MultiHeadAttention({ numHeads: 2, keyDim: 3, seed });
    at = layers.add().apply([at, attention.apply(inputs(at)) as Symbolic]) as Symbolic;
  }
  return model({ inputs: start, outputs: at });
}

it("runs models that give a layer one thing twice and need it afterwards", async () => {
  const expected = numbers(blocks((at) => at).predict(x()));
  for (const times of [2, 3]) {
    const twice = blocks((at) => new Array<Symbolic>(times).fill(at));
    expect(numbers(twice.predict(x()))).toEqual(expected);
    const { numTensors } = tf.memory();
    tf.dispose(twice.predict(x()));
    expect(tf.memory().numTensors - numTensors).toBe(1); // x itself
  }
});

it("saves and loads them, and models that were saved without", async () => {
  const twice = blocks((at) => [at, at]);
  const expected = numbers(twice.predict(x()));
  let saved: tf.io.ModelArtifacts | undefined;
  await twice.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) };
    }),
  );
  const loaded = await loadLayersModel(tf.io.fromMemory(saved!));
  expect(loaded.layers.length).toBe(twice.layers.length);
  expect(numbers(loaded.predict(x()))).toEqual(expected);
  // As Keras writes it: both inputs of the attention are the layer before.
  const topology = JSON.parse(JSON.stringify(saved!.modelTopology));
  const { config } = topology;
  const named = (name: string) => config.layers.find((layer: { name: string }) => layer.name === name);
  config.layers = config.layers.filter((layer: { name: string; inbound_nodes: unknown[][][] }) => {
    for (const node of layer.inbound_nodes)
      for (const reference of node) {
        const source = named(reference[0] as string);
        if (source?.class_name === "Activation") reference[0] = source.inbound_nodes[0][0][0];
      }
    return (layer as unknown as { class_name: string }).class_name !== "Activation";
  });
  const plain = await loadLayersModel(tf.io.fromMemory({ ...saved!, modelTopology: topology }));
  expect(numbers(plain.predict(x()))).toEqual(expected);
});

it("leaves inputs of a model, tensors and single inputs alone", () => {
  const start = input({ shape: [T, C] });
  const attention = new MultiHeadAttention({ numHeads: 2, keyDim: 3 });
  const run = model({ inputs: start, outputs: attention.apply([start, start]) as Symbolic });
  expect(run.layers.map((layer) => layer.getClassName())).toEqual(["InputLayer", "MultiHeadAttention"]);
  const given = x();
  expect(numbers(attention.apply([given, given]))).toEqual(numbers(run.predict(given)));
  expect(given.isDisposed).toBe(false);
});
