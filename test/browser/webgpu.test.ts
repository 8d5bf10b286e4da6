import { cpSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type { Browser } from "@playwright/test";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { bundleForBrowser, scratchFolder } from "../support/bundle.ts";
import { findChromium, itInChromium, launchChromium, WEBGPU_FLAGS } from "../support/chromium.ts";
import { visit } from "../support/visit.ts";

/** What the page reports on `window.result`. */
interface Report {
  backends: string[];
  losses: number[][];
  leaked: number;
  error?: string;
}

/**
 * Which of five boxes has the name that is asked for, and what is in it: a model of one attention layer, from the same
 * weights on heed and on webgpu.
 */
const PROGRAM = `
import * as tf from "@tensorflow/tfjs-core";
import { initializers, input, layers, model as makeModel } from "@tensorflow/tfjs-layers";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { BACKEND } from "@/host/backend.ts";
import { useWebGpu } from "@/host/webgpu/index.ts";
import { RandomStream } from "@/core/random.ts";
import { LayerNormalization, MultiHeadAttention } from "@/layers/index.ts";
import { softmaxCrossEntropy } from "@/ops/index.ts";
import { Adam } from "@/train/adam.ts";

const [BOXES, NAMES, BATCH, STEPS] = [5, 6, 24, 12];

async function train() {
  const random = new RandomStream(1);
  const batch = () => {
    const rows = Array.from({ length: BATCH }, () => {
      const names = random.shuffle([0, 1, 2, 3, 4, 5]).slice(0, BOXES);
      const things = names.map(() => random.integer(NAMES));
      const box = random.integer(BOXES);
      return { names, things, asked: [names[box]], truth: things[box] };
    });
    const ids = (name) => tf.tensor2d(rows.map((row) => row[name]), undefined, "int32");
    const truth = tf.tensor1d(rows.map((row) => row.truth), "int32");
    return { inputs: [ids("asked"), ids("things"), ids("names")], truth };
  };
  const ids = (length) => input({ shape: [length], dtype: "int32" });
  const [asked, things, names] = [ids(1), ids(BOXES), ids(BOXES)];
  const embedding = (seed) => layers.embedding({
    inputDim: NAMES, outputDim: 16, embeddingsInitializer: initializers.randomNormal({ stddev: 0.5, seed }),
  });
  const [ofNames, ofThings] = [embedding(1), embedding(2)];
  const heads = new MultiHeadAttention({ numHeads: 2, keyDim: 8, seed: 3 });
  const read = heads.apply([ofNames.apply(asked), ofThings.apply(things), ofNames.apply(names)]);
  const flat = layers.flatten().apply(new LayerNormalization().apply(read));
  const kernelInitializer = initializers.glorotUniform({ seed: 5 });
  const outputs = layers.dense({ units: NAMES, kernelInitializer }).apply(flat);
  const model = makeModel({ inputs: [asked, things, names], outputs });
  const variables = Object.fromEntries(model.trainableWeights.map(({ val }) => [val.name, val]));
  const adam = new Adam({ learningRate: 0.02, clipNorm: 1 });
  const losses = [];
  const counts = [];
  for (let step = 0; step < STEPS; step++) {
    const { inputs, truth } = batch();
    const { value, grads } = tf.variableGrads(() =>
      tf.mean(softmaxCrossEntropy(model.apply(inputs, { training: true }), truth)));
    await adam.applyAsync(grads, variables);
    losses.push((await value.data())[0]);
    tf.dispose([inputs, truth, value, grads]);
    counts.push(tf.memory().numTensors);
  }
  return { losses, leaked: counts.at(-1) - counts[1] };
}

async function run() {
  setWasmPaths("/wasm/");
  await tf.setBackend(BACKEND);
  const backends = [tf.getBackend()];
  const onHeed = await train();
  await useWebGpu();
  backends.push(tf.getBackend());
  const onGpu = await train();
  return { backends, losses: [onHeed.losses, onGpu.losses], leaked: onHeed.leaked + onGpu.leaked };
}

run().then((result) => { window.result = result; }, (error) => { window.result = { error: String(error.stack ?? error) }; });
`;

const scratch = scratchFolder();
let page = "";
let browser: Browser;

beforeAll(async () => {
  if (!findChromium()) return;
  page = await bundleForBrowser(scratch.folder, PROGRAM, true);
  const wasm = path.dirname(
    createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm/package.json"),
  );
  cpSync(path.join(wasm, "wasm-out"), path.join(page, "wasm"), { recursive: true });
  // A browser of its own: others have no WebGPU.
  browser = await launchChromium(WEBGPU_FLAGS);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  scratch.remove();
});

describe("heed on WebGPU in Chromium", () => {
  itInChromium("trains attention along the curve of the heed backend", async () => {
    const { report } = await visit<Report>(browser, page);
    expect(report.error).toBeUndefined();
    expect(report.backends).toEqual(["heed", "webgpu"]);
    const [heed, webgpu] = report.losses as [number[], number[]];
    // Roundings grow from step to step; a wrong gradient would be off from the second on.
    for (const [step, loss] of webgpu.entries()) expect(Math.abs(loss - heed[step]!)).toBeLessThan(2e-3);
    expect(webgpu.at(-1)).toBeLessThan(0.5 * webgpu[0]!);
    expect(report.leaked).toBe(0);
  });
});
