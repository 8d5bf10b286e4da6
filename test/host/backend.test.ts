import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { describe, expect, it } from "vitest";
import { BACKEND } from "../../src/host/backend.ts";
import { heapOf } from "../../src/host/heap.ts";
import { kernelOverrides } from "../../src/host/overrides/index.ts";
import { startHeedBackend } from "../../src/host/start.ts";
import { describeBuilds, useBuild } from "../support/kernel-build.ts";

describe("The heed backend", () => {
  it("has every kernel of stock wasm, and leaves those alone", () => {
    const names = (backend: string) => tf.getKernelsForBackend(backend).map(({ kernelName }) => kernelName);
    expect(names(BACKEND)).toEqual(expect.arrayContaining(names("wasm")));
    for (const name of ["UnsortedSegmentSum", "Conv2DBackpropFilter"])
      expect(names("wasm")).not.toContain(name);
    for (const name of Object.keys(kernelOverrides)) {
      const stock = tf.getKernel(name, "wasm")?.kernelFunc;
      expect(tf.getKernel(name, BACKEND)!.kernelFunc).not.toBe(stock);
    }
  });

  it("takes turns with stock wasm and cpu in one program, tensors moving along", async () => {
    const results: number[][] = [];
    await tf.setBackend(BACKEND);
    let x: tf.Tensor = tf.tensor2d([
      [1, 2],
      [3, 4],
    ]);
    for (const backend of [BACKEND, "wasm", BACKEND, "cpu", "wasm", BACKEND]) {
      await tf.setBackend(backend);
      const next = tf.tidy(() => tf.softmax(tf.transpose(tf.add(tf.matMul(x, x), tf.sum(x, 0)))));
      x.dispose();
      x = next;
      results.push([...x.dataSync()]);
    }
    x.dispose();
    for (const row of results) expect(row[0]! + row[1]!).toBeCloseTo(1, 6);
  });

  it("runs beside a second instance of itself", async () => {
    await useBuild("plain");
    const first = heapOf(tf.backend());
    const second = heapOf(await startHeedBackend());
    expect(second).not.toBe(first);
    expect([first.build, second.build]).toEqual(["plain", "plain"]);
    second.backend.dispose();
  });
});

/** Expects 40 steps of Adam to learn what x says of y, and to leave no tensor behind. */
async function expectLearns(
  model: layers.Sequential,
  { x, y }: { x: tf.Tensor; y: tf.Tensor },
  learningRate: number,
): Promise<void> {
  model.compile({ optimizer: tf.train.adam(learningRate), loss: "categoricalCrossentropy" });
  const first = (await model.trainOnBatch(x, y)) as number;
  const before = tf.memory().numTensors;
  let last = first;
  for (let step = 0; step < 40; step++) last = (await model.trainOnBatch(x, y)) as number;
  expect(tf.memory().numTensors).toBe(before);
  expect(first).toBeGreaterThan(0.5);
  expect(last).toBeLessThan(0.1);
  model.dispose();
  tf.dispose([x, y]);
}

/** Two runs of bits that a model can tell apart by the order of their words. */
function sequences(): { x: tf.Tensor; y: tf.Tensor } {
  const rows = Array.from({ length: 32 }, (_, i) =>
    Array.from({ length: 7 }, (_, t) => (i * 7 + t * (i % 2 ? 3 : 5)) % 11),
  );
  const x = tf.tensor2d(rows, [32, 7], "int32");
  const y = tf.oneHot(
    tf.tensor1d(
      rows.map((_, i) => i % 2),
      "int32",
    ),
    2,
  );
  return { x, y };
}

/** Weights that are the same in every run. */
const seeded = (seed: number) => layers.initializers.glorotUniform({ seed });

describeBuilds("Training", () => {
  it("an embedding, a GRU and a dense layer learn, and no tensor stays behind", async () => {
    await tf.setBackend(BACKEND);
    const { x, y } = sequences();
    const model = layers.sequential({
      layers: [
        layers.layers.embedding({
          inputDim: 11,
          outputDim: 13,
          inputLength: 7,
          embeddingsInitializer: seeded(1),
        }),
        layers.layers.gru({ units: 17, kernelInitializer: seeded(2), recurrentInitializer: seeded(3) }),
        layers.layers.dense({ units: 2, activation: "softmax", kernelInitializer: seeded(4) }),
      ],
    });
    await expectLearns(model, { x, y }, 0.03);
  });

  it("a convolutional net learns, depthwise layers too", async () => {
    await tf.setBackend(BACKEND);
    // A bright row or a bright column: which?
    const images = Array.from({ length: 32 }, (_, i) =>
      Array.from({ length: 11 }, (_, r) =>
        Array.from({ length: 11 }, (_, c) => [(i % 2 ? r : c) === (i * 5) % 11 ? 1 : 0]),
      ),
    );
    const x = tf.tensor4d(images);
    const y = tf.oneHot(
      tf.tensor1d(
        images.map((_, i) => i % 2),
        "int32",
      ),
      2,
    );
    const model = layers.sequential({
      layers: [
        layers.layers.conv2d({
          inputShape: [11, 11, 1],
          filters: 5,
          kernelSize: 3,
          activation: "relu",
          kernelInitializer: seeded(5),
        }),
        layers.layers.separableConv2d({
          filters: 7,
          kernelSize: 3,
          activation: "relu",
          depthwiseInitializer: seeded(6),
          pointwiseInitializer: seeded(7),
        }),
        layers.layers.maxPooling2d({ poolSize: 2 }),
        layers.layers.flatten(),
        layers.layers.dense({ units: 2, activation: "softmax", kernelInitializer: seeded(4) }),
      ],
    });
    await expectLearns(model, { x, y }, 0.02);
  });
});
