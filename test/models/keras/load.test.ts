import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { memoryBytes, openCheckpoint } from "../../../src/checkpoints/index.ts";
import { loadKeras, saveKeras } from "../../../src/models/keras/index.ts";
import { reloaded } from "../../layers/harness.ts";
import { expectOutputs, inputsOf, kerasFile } from "./fixture.ts";

beforeAll(() => tf.setBackend("cpu"));

/** Sums of a few hundred float32 numbers, one after the other. */
const FLOAT32 = 1e-5;

test.each([
  "stack",
  "shared",
  "multi_head",
  "attentions",
  "recurrent",
  "states",
  "reset_after",
  "convolutions",
])("%s.keras computes what it does in Keras 3", async (name) => {
  const model = await loadKeras(kerasFile(`${name}.keras`));
  expectOutputs(model, name, FLOAT32);
  const again = await loadKeras(await saveKeras(model));
  expectOutputs(again, name, FLOAT32);
  model.dispose();
  again.dispose();
});

// Keras rounds the result of each of three layers to half precision; here they are computed in float32.
test.each([
  ["mixed_float16", 8 * 2 ** -11],
  ["bfloat16", 8 * 2 ** -8],
] as const)(
  "%s.keras computes what it does in Keras 3, but for the roundings of that type",
  async (name, tolerance) => {
    const model = await loadKeras(kerasFile(`${name}.keras`));
    expect(model.getWeights().map(({ dtype }) => dtype)).toEqual(Array(6).fill("float32"));
    expectOutputs(model, name, tolerance);
    model.dispose();
  },
);

test("weights are found by their paths, wherever they stand in the file, and progress is told", async () => {
  const shares: number[] = [];
  const model = await loadKeras(kerasFile("shared.keras"), { onProgress: (share) => shares.push(share) });
  expect(shares.at(-1)).toBe(1);
  expect(shares).toEqual([...shares].sort((a, b) => a - b));
  // dense_10 comes before dense_2 in the file.
  const checkpoint = await openCheckpoint(memoryBytes(kerasFile("shared.keras")));
  const dense = [...checkpoint.tensors.keys()].filter((path) => /^layers.dense_\d+.vars.0$/.test(path));
  expect(dense.indexOf("layers/dense_10/vars/0")).toBeLessThan(dense.indexOf("layers/dense_2/vars/0"));
  await checkpoint.close();
  model.dispose();
  const stopped = AbortSignal.abort(new Error("stopped"));
  const before = tf.memory().numTensors;
  await expect(loadKeras(kerasFile("shared.keras"), { signal: stopped })).rejects.toThrow("stopped");
  expect(tf.memory().numTensors).toBe(before);
});

test("a model that trains and is saved for TensorFlow.js too: what loads is a model as any other", async () => {
  const model = await loadKeras(kerasFile("reset_after.keras"));
  const again = await reloaded(model);
  expectOutputs(again, "reset_after", FLOAT32);
  const [x] = inputsOf("reset_after");
  const loss = () => tf.mean(tf.square(model.apply(x!, { training: true }) as tf.Tensor)) as tf.Scalar;
  const first = loss().dataSync()[0]!;
  const optimizer = tf.train.sgd(0.1);
  for (let step = 0; step < 3; step++) optimizer.minimize(loss);
  expect(loss().dataSync()[0]!).toBeLessThan(first);
});
