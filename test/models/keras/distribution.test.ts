import "@tensorflow/tfjs-backend-cpu";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { initializers, input, layers, model, type SymbolicTensor } from "@tensorflow/tfjs-layers";
import { beforeAll, expect, test } from "vitest";
import { LayerNormalization, MultiHeadAttention } from "../../../src/layers/index.ts";
import { loadKeras, saveKeras } from "../../../src/models/keras/index.ts";
import { python } from "./fixture.ts";

beforeAll(() => tf.setBackend("cpu"));

const DEVICES = 4;
const STEPS = 50;
const LEARNING_RATE = 0.05;
/** Half of the values of heads and of a Dense go to each of two devices, so these sizes are even. */
const [B, T, C] = [8, 5, 6];
const script = path.resolve(import.meta.dirname, "../../../examples/python/train-on-jax.py");
const env = { ...process.env, XLA_FLAGS: `--xla_force_host_platform_device_count=${DEVICES}` };
const hasJax =
  spawnSync(python, ["-c", "import keras, jax"], { env: { ...env, KERAS_BACKEND: "jax" }, stdio: "ignore" })
    .status === 0;
const why = hasJax ? "" : ` (skipped: ${python} has no keras and jax; set HEED_PYTHON to one that has)`;

/** Attention and a network of two layers, its initial weights the same each time. */
function built() {
  const x = input({ shape: [T, C] });
  const attended = new MultiHeadAttention({ numHeads: 2, keyDim: 3, seed: 7 }).apply(x);
  const normal = new LayerNormalization().apply(
    layers.add().apply([x, attended as SymbolicTensor]) as SymbolicTensor,
  );
  const hidden = layers.dense({
    units: 8,
    activation: "gelu",
    kernelInitializer: initializers.glorotUniform({ seed: 3 }),
  });
  const out = layers.dense({ units: 4, kernelInitializer: initializers.glorotUniform({ seed: 5 }) });
  return model({ inputs: x, outputs: out.apply(hidden.apply(normal as SymbolicTensor)) as SymbolicTensor });
}

const array = (x: tf.Tensor) => ({ shape: x.shape, values: [...x.dataSync()] });

test.skipIf(!hasJax)(
  `50 steps of a model of heed's on ${DEVICES} devices of JAX have the losses that they have here, and the model returns${why}`,
  { timeout: 600_000 },
  async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "heed-jax-"));
    try {
      const [x, y] = [
        tf.randomNormal([B, T, C], 0, 1, "float32", 1),
        tf.randomNormal([B, T, 4], 0, 1, "float32", 2),
      ];
      const here = built();
      const from = path.join(folder, "from.keras");
      writeFileSync(from, await saveKeras(here));
      const data = path.join(folder, "data.json");
      writeFileSync(
        data,
        JSON.stringify({ x: array(x), y: array(y), learningRate: LEARNING_RATE, steps: STEPS }),
      );
      const optimizer = tf.train.sgd(LEARNING_RATE);
      const losses = Array.from({ length: STEPS }, () => {
        const loss = optimizer.minimize(() => {
          const error = tf.sub(here.apply(x, { training: true }) as tf.Tensor, y);
          return tf.mean(tf.square(error)) as tf.Scalar;
        }, true)!;
        return loss.dataSync()[0]!;
      });
      expect(losses.at(-1)).toBeLessThan(losses[0]! * 0.9);
      const wanted = (here.predict(x) as tf.Tensor).dataSync();
      for (const [mode, shared] of Object.entries({ data: 0, model: 6 })) {
        const to = path.join(folder, `${mode}.keras`);
        const { status, stdout, stderr } = spawnSync(python, [script, from, data, to, mode], {
          env,
          encoding: "utf8",
        });
        expect(status, stderr).toBe(0);
        const there = JSON.parse(stdout.trim().split("\n").at(-1)!) as {
          devices: number;
          shared: string[];
          losses: number[];
        };
        expect(there.devices).toBe(DEVICES);
        expect(there.shared.length, there.shared.join(", ")).toBe(shared);
        const off = Math.max(...losses.map((loss, step) => Math.abs(loss - there.losses[step]!)));
        expect(off, `the losses of ${mode}`).toBeLessThanOrEqual(1e-4);
        const returned = await loadKeras(new Uint8Array(readFileSync(to)));
        const outputs = (returned.predict(x) as tf.Tensor).dataSync();
        const difference = Math.max(...wanted.map((value, n) => Math.abs(value - outputs[n]!)));
        expect(difference, `the outputs of ${mode}`).toBeLessThanOrEqual(1e-4);
        returned.dispose();
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
