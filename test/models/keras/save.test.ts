import "@tensorflow/tfjs-backend-cpu";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import {
  input,
  type LayersModel,
  layers,
  model,
  type SymbolicTensor,
  sequential,
} from "@tensorflow/tfjs-layers";
import { beforeAll, expect, test } from "vitest";
import { HardAttention, LayerNormalization, MultiHeadAttention } from "../../../src/layers/index.ts";
import { loadKeras, loadKerasWeights, saveKeras, saveKerasWeights } from "../../../src/models/keras/index.ts";
import { fixtures, hasKeras, kerasFile, python } from "./fixture.ts";

beforeAll(() => tf.setBackend("cpu"));

/** A model built here: two encoders that share a layer, cross attention with a mask, and a model within it. */
function built(): LayersModel {
  const [T, S, C] = [5, 3, 7];
  const [first, second] = [input({ shape: [T, C] }), input({ shape: [S, C] })];
  const allowed = input({ shape: [T, S], dtype: "bool" });
  const shared = layers.dense({ units: 11, activation: "tanh", kernelRegularizer: "l1l2" });
  const [x, y] = [shared.apply(first), shared.apply(second)] as SymbolicTensor[];
  const attended = new MultiHeadAttention({ numHeads: 2, keyDim: 3, dropout: 0.1 }).apply([
    x!,
    y!,
    y!,
    allowed,
  ]);
  const causal = new MultiHeadAttention({
    numHeads: 1,
    keyDim: 2,
    useCausalMask: true,
    useBias: false,
  }).apply(x!);
  const sum = layers.add().apply([attended, causal] as SymbolicTensor[]) as SymbolicTensor;
  const normal = new LayerNormalization({ epsilon: 1e-6 }).apply(sum) as SymbolicTensor;
  const head = sequential({ name: "head" });
  head.add(
    layers.dense({ units: 2, activation: "swish", inputShape: [T, 11], kernelInitializer: "leCunNormal" }),
  );
  const lstm = layers.lstm({ units: 3, recurrentActivation: "sigmoid", returnSequences: true });
  const both = layers.bidirectional({ layer: lstm as never, mergeMode: "ave" });
  return model({
    inputs: [first, second, allowed],
    outputs: [head.apply(normal), both.apply(normal)] as SymbolicTensor[],
  });
}

const inputs = () => [
  tf.randomNormal([2, 5, 7], 0, 1, "float32", 1),
  tf.randomNormal([2, 3, 7], 0, 1, "float32", 2),
  tf.tile(tf.tensor([1, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 0, 1, 0], [1, 5, 3], "bool"), [2, 1, 1]),
];

test("what is written is read again: the same numbers, and the same file but for its date", async () => {
  const made = built();
  const given = inputs();
  const outputs = made.predict(given) as tf.Tensor[];
  const before = tf.memory().numTensors;
  const bytes = await saveKeras(made);
  expect(tf.memory().numTensors).toBe(before);
  const again = await loadKeras(bytes);
  for (const [at, output] of (again.predict(given) as tf.Tensor[]).entries())
    expect([...output.dataSync()]).toEqual([...outputs[at]!.dataSync()]);
  const twice = await loadKeras(await saveKeras(again));
  expect(twice.getWeights().map((weight) => [...weight.dataSync()])).toEqual(
    made.getWeights().map((weight) => [...weight.dataSync()]),
  );
  tf.dispose([given, outputs]);
});

test("weights alone go from one model to another of the same layers, whatever their names", async () => {
  const [from, to] = [built(), built()];
  const given = inputs();
  const wanted = (from.predict(given) as tf.Tensor[])[0]!.dataSync();
  expect([...(to.predict(given) as tf.Tensor[])[0]!.dataSync()]).not.toEqual([...wanted]);
  await loadKerasWeights(to, await saveKerasWeights(from));
  expect([...(to.predict(given) as tf.Tensor[])[0]!.dataSync()]).toEqual([...wanted]);
});

test("what Keras 3 does not have is refused by name, all of it at once", async () => {
  const x = input({ shape: [5, 7] });
  const hard = new HardAttention({ numHeads: 2, keyDim: 3 }).apply(x) as SymbolicTensor;
  const threshold = layers.thresholdedReLU().apply(hard) as SymbolicTensor;
  await expect(saveKeras(model({ inputs: x, outputs: threshold }))).rejects.toThrow(
    "got HardAttention, ThresholdedReLU; Keras 3 has no such layer; save it with model.save, for TensorFlow.js",
  );
  const lstm = layers.lstm({ units: 3 }).apply(x) as SymbolicTensor;
  await expect(saveKeras(model({ inputs: x, outputs: lstm }))).rejects.toThrow(
    'got hardSigmoid; Keras 3 has another; use "sigmoid"',
  );
  const alone = sequential();
  alone.add(new MultiHeadAttention({ numHeads: 2, keyDim: 3, inputShape: [5, 7] } as never));
  await expect(saveKeras(alone)).rejects.toThrow("in a Sequential; build a functional model");
});

test.skipIf(!hasKeras)(
  "Keras 3 loads what heed writes and computes the same",
  { timeout: 300_000 },
  async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "heed-keras-"));
    try {
      const array = (x: tf.Tensor) => ({
        shape: x.shape,
        dtype: x.dtype === "float32" ? "float32" : "int32",
        values: [...x.dataSync()],
      });
      const made = built();
      const given = inputs();
      writeFileSync(path.join(folder, "built.keras"), await saveKeras(made));
      const outputs = (made.predict(given) as tf.Tensor[]).map(array);
      writeFileSync(path.join(folder, "built.json"), JSON.stringify({ inputs: given.map(array), outputs }));
      // NumPy, which is quick, ignores masks.
      const names = ["stack", "shared", "multi_head", "attentions", "states", "reset_after", "convolutions"];
      for (const name of names) {
        const loaded = await loadKeras(kerasFile(`${name}.keras`));
        writeFileSync(path.join(folder, `${name}.keras`), await saveKeras(loaded));
        cpSync(path.join(fixtures, `${name}.json`), path.join(folder, `${name}.json`));
      }
      const script = path.resolve(import.meta.dirname, "../../../tools/fixtures/keras_check.py");
      const { status, stdout, stderr } = spawnSync(python, [script, folder], { encoding: "utf8" });
      expect(status, stderr).toBe(0);
      const differences = JSON.parse(stdout) as Record<string, number>;
      expect(Object.keys(differences)).toEqual([...names, "built"].sort());
      for (const [name, off] of Object.entries(differences))
        expect([name, off <= 1e-5, off]).toEqual([name, true, off]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
