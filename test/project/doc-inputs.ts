import { writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import * as tf from "@tensorflow/tfjs-core";
import { layers, sequential } from "@tensorflow/tfjs-layers";
import { encodeSafetensors } from "../../src/core/safetensors.ts";
import { shippedModel } from "../../src/tasks/model-folder.ts";
import { cellsOf } from "../../src/viz/data.ts";
import { kerasFile } from "../models/keras/fixture.ts";
import { writeModelFolder } from "../tasks/pretrained/fixture.ts";
import type { Scope } from "./snippets.ts";

/** Files whose `@example` is not run, and why. */
export const NOT_RUN: Record<string, string> = {
  "checkpoints/hdf5-library.ts": "imports a package, which the sandbox of the examples cannot",
  "host/webgpu/index.ts": "takes a WebGPU device; test/host/webgpu runs it",
  "data/fetch.ts": "downloads from the public source; test/data runs it against a local server",
  "tasks/pretrained/hub/fetch-model.ts": "downloads from the hub; test/tasks runs it against a local server",
};

/** Files whose `@example` reads a data set, which not every clone has beside it. */
export const NEEDS_DATA: Record<string, string> = {
  "data/idx.ts": "fashion-mnist",
  "data/labelled-images.ts": "fashion-mnist",
  "data/locate.ts": "tatoeba-en-fr",
  "data/split.ts": "tatoeba-en-fr",
  "data/tsv.ts": "tatoeba-en-fr",
};

const random = (...shape: number[]) => tf.randomUniform(shape, -1, 1);

/** A model of the layers of test/fixtures/keras/stack.keras. */
function denseStack() {
  const made = sequential();
  made.add(layers.dense({ units: 5, inputShape: [7] }));
  for (const units of [5, 3]) made.add(layers.dense({ units }));
  return made;
}

/** The inputs that every `@example` may take for granted, in the one notation: B = 2, T = 3, S = 5, D = 4. */
export const COMMON = (): Scope => ({
  queries: random(2, 3, 4),
  keys: random(2, 5, 4),
  values: random(2, 5, 7),
  q: random(2, 3, 5, 4),
  k: random(2, 3, 5, 4),
  v: random(2, 3, 5, 7),
});

/** What the `@example`s of a file take for granted besides. */
export const INPUTS: Record<string, () => Scope> = {
  "core/safetensors.ts": () => {
    const data = new Float32Array(6);
    writeFileSync("model.safetensors", encodeSafetensors({ w: { dtype: "F32", shape: [2, 3], data } }));
    return { readFile };
  },
  "models/keras/load.ts": () => {
    writeFileSync("model.keras", kerasFile("stack.keras"));
    writeFileSync("model.weights.h5", kerasFile("stack.weights.h5"));
    return { readFile, model: denseStack() };
  },
  "data/pictures/read-picture.ts": () => ({ writeFileSync }),
  "models/keras/save.ts": () => ({ writeFile, model: denseStack() }),
  "models/pretrained/load.ts": () => {
    writeModelFolder("my-model");
    return { readFile };
  },
  "tasks/pretrained/describe-model.ts": () => {
    writeModelFolder("my-model");
    return {};
  },
  "tasks/translation/recurrent-translator.ts": () => ({ folder: shippedModel("translation-en-fr") }),
  "data/locate-model.ts": () => {
    writeModelFolder("my-model");
    return {};
  },
  "tasks/pretrained/adapters.ts": () => {
    writeModelFolder("my-model");
    return {};
  },
  "tasks/pretrained/write.ts": () => {
    writeModelFolder("my-model");
    return {};
  },
  "tasks/pretrained/embedder.ts": () => {
    writeModelFolder("my-model");
    return {};
  },
  "tasks/pretrained/model.ts": () => {
    writeModelFolder("my-model");
    return {};
  },
  "tasks/pretrained/continue-text.ts": () => {
    writeModelFolder("my-decoder", "gpt2", []);
    return {};
  },
  "tasks/pretrained/remarkable.ts": () => {
    writeModelFolder("my-model");
    return {};
  },
  "data/batching.ts": () => ({
    pairs: Array.from({ length: 40 }, (_, at) => ({
      source: Array.from({ length: 1 + (at % 7) }, () => at + 4),
      target: Array.from({ length: 1 + (at % 5) }, () => at + 4),
    })),
  }),
  "data/bpe-train.ts": () => ({ pairs: [{ source: "I am tired.", target: "Je suis fatigué." }] }),
  "ops/dropout.ts": () => ({ x: random(3, 5), step: 7 }),
  "ops/gelu.ts": () => ({ x: random(2, 3, 5), w: random(5, 7), b: random(7) }),
  "ops/layer-norm.ts": () => ({ x: random(2, 3, 5), gamma: random(5), beta: random(5) }),
  "ops/linear.ts": () => ({ x: random(2, 3, 5), wq: random(5, 7), bq: random(7) }),
  "ops/rms-norm.ts": () => ({ x: random(2, 3, 5), gamma: random(5) }),
  "ops/silu.ts": () => ({ x: random(2, 3, 5), w: random(5, 7), b: random(7) }),
  "ops/softmax-cross-entropy.ts": () => ({ logits: random(2, 5) }),
  "ops/tidy.ts": () => ({ x: random(3, 5) }),
  "ops/gru-cell.ts": () => ({
    input: random(2, 3),
    h: random(2, 5),
    w: random(3, 15),
    u: random(5, 15),
    b: random(15),
    c: random(15),
  }),
  "ops/gru-sequence.ts": () => ({
    B: 2,
    H: 5,
    gates: random(3, 2, 15),
    U: random(5, 15),
    b: random(15),
    mask: tf.ones([3, 2]),
  }),
  "ops/lstm-cell.ts": () => ({
    input: random(2, 3),
    h0: random(2, 5),
    c0: random(2, 5),
    w: random(3, 20),
    u: random(5, 20),
  }),
  "ops/lstm-sequence.ts": () => ({
    B: 2,
    H: 5,
    gates: random(3, 2, 20),
    U: random(5, 20),
    mask: tf.ones([3, 2]),
  }),
  "train/adam.ts": () => {
    // Names are given once: another example of the file may have had them.
    for (const name of ["w", "b"]) tf.engine().registeredVariables[name]?.dispose();
    const w = tf.variable(random(3), true, "w");
    const b = tf.variable(random(3), true, "b");
    return { w, b, loss: () => tf.sum(tf.square(tf.add(w, b))) as tf.Scalar };
  },
  "train/checkpoint.ts": () => ({ data: new Float32Array(3) }),
  "train/loop.ts": () => ({
    training: {
      step: async (k: number) => ({ loss: 1 / (k + 1), tokens: 11 }),
      snapshot: () => ({ tensors: {}, state: {} }),
      restore: () => undefined,
    },
    corpusBleu: () => ({ score: 35 }),
    translate: (sources: string[]) => sources,
    sources: ["I am tired."],
    references: ["Je suis fatigué."],
  }),
  "viz/describe.ts": () => ({
    cellsOf,
    data: {
      rowTokens: ["J'", "aime", "le", "thé", "."],
      columnTokens: ["I", "really", "do", "love", "my", "tea", "."],
      weights: Array.from({ length: 5 }, (_, t) =>
        Array.from({ length: 7 }, (_, s) => (t === 1 ? (s === 3 ? 0.97 : 0.005) : 1 / 7)),
      ),
    },
  }),
};
