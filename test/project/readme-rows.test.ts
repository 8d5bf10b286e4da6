/** The rows of the README's two tables of other libraries, one after the other: each does what it says. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  additiveScore,
  fromTorchEncoderLayer,
  fromTorchInProj,
  multiHeadAttention,
} from "../../src/attention/index.ts";
import { fromHF, fromTorchMHA } from "../../src/core/index.ts";
import { MODEL_RECORD } from "../../src/data/locate-model.ts";
import { useHeedBackend } from "../../src/host/select.ts";
import * as layers from "../../src/layers/index.ts";
import { LoraAdapter, loadKeras, saveKeras, withClassifier } from "../../src/models/index.ts";
import { exportOnnx } from "../../src/onnx/index.ts";
import { attention, gridSample } from "../../src/ops/index.ts";
import * as tasks from "../../src/tasks/index.ts";
import { sentenceFixture, sentenceFolder, writeModelFolder } from "../tasks/pretrained/fixture.ts";

const root = path.resolve(import.meta.dirname, "../..");
const readme = readFileSync(path.join(root, "README.md"), "utf8");

/** The rows of the first table below a title, from their last cells. */
function rowsBelow(title: string): string[] {
  const lines = readme.slice(readme.indexOf(`\n## ${title}\n`)).split("\n");
  const from = lines.findIndex((line) => line.startsWith("| There")) + 2;
  const end = lines.findIndex((line, at) => at >= from && !line.startsWith("|"));
  return lines.slice(from, end).map((line) => line.split("|").at(-2)!.trim());
}

const cache = mkdtempSync(path.join(tmpdir(), "heed-rows-"));
const sentences = sentenceFolder("mean");
/** Models as `heed models fetch` leaves them: bert/tiny and gpt2/tiny. */
function fillCache(): void {
  for (const name of ["bert", "gpt2"]) {
    const folder = path.join(cache, "heed/models", name, "tiny");
    mkdirSync(path.dirname(folder), { recursive: true });
    writeModelFolder(folder, name);
    const record = { name: `${name}/tiny`, revision: "main", commit: "0".repeat(40), files: [] };
    writeFileSync(path.join(folder, MODEL_RECORD), JSON.stringify(record));
  }
}

beforeAll(async () => {
  await useHeedBackend();
  vi.stubEnv("XDG_CACHE_HOME", cache);
  fillCache();
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
  rmSync(path.dirname(sentences), { recursive: true });
});

const normal = <T extends tf.Tensor>(seed: number, ...shape: number[]) =>
  tf.randomNormal(shape, 0, 1, "float32", seed) as unknown as T;
const [x, y] = [() => normal<tf.Tensor3D>(1, 2, 3, 4), () => normal<tf.Tensor3D>(2, 2, 5, 4)];
const expectClose = (a: tf.Tensor, b: tf.Tensor) =>
  expect(tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]).toBeLessThan(1e-5);

/** What a row is found by, and what it promises. */
type Rows = readonly (readonly [code: string, run: () => void | Promise<void>])[];

const KERAS: Rows = [
  [
    "the same names and arguments in `heed/layers`",
    () => {
      const heads = { numHeads: 2, keyDim: 3, valueDim: 5, useBias: false, outputShape: 7, dropout: 0.1 };
      expect((new layers.MultiHeadAttention(heads).apply([x(), y()]) as tf.Tensor).shape).toEqual([2, 3, 7]);
      const groups = { headDim: 3, numQueryHeads: 4, numKeyValueHeads: 2 };
      expect((new layers.GroupQueryAttention(groups).apply([x(), y()]) as tf.Tensor).shape).toEqual([
        2, 3, 4,
      ]);
      for (const layer of [
        new layers.Attention({ useScale: true, scoreMode: "concat", dropout: 0.1 }),
        new layers.AdditiveAttention({ useScale: false, dropout: 0.1 }),
      ])
        expect((layer.apply([x(), y()]) as tf.Tensor).shape).toEqual([2, 3, 4]);
    },
  ],
  [
    "fromTorchInProj(state, heads)",
    () => {
      const state = {
        in_proj_weight: normal<tf.Tensor2D>(3, 12, 4),
        out_proj_weight: normal<tf.Tensor2D>(4, 4, 4),
      };
      const parameters = fromTorchInProj(state, 2);
      const layer = new layers.MultiHeadAttention({ numHeads: 2, keyDim: 2, useBias: false });
      layer.apply([x(), x()]);
      layer.setParameters(parameters);
      const { output } = multiHeadAttention({ query: x() }, parameters);
      expectClose(layer.apply([x(), x()]) as tf.Tensor, output);
    },
  ],
  [
    "fromTorchEncoderLayer(state, heads)",
    () => {
      // The numbers are compared with PyTorch's by test/layers/transformer.
      const [{ state, inputs }] = JSON.parse(
        readFileSync(path.join(root, "test/fixtures/layers/torch-encoder.json"), "utf8"),
      );
      const given = Object.entries(state as Record<string, { values: number[]; shape: number[] }>);
      const named = Object.fromEntries(
        given.map(([name, { values, shape }]) => [name, tf.tensor(values, shape)]),
      );
      expect(inputs).toHaveLength(1);
      expect(Object.keys(fromTorchEncoderLayer(named, 1)).length).toBeGreaterThan(3);
    },
  ],
  [
    "`attention` and `gridSample`",
    () => {
      const q = normal<tf.Tensor4D>(1, 1, 2, 3, 4);
      const [k, v] = [normal<tf.Tensor4D>(2, 1, 2, 5, 4), normal<tf.Tensor4D>(3, 1, 2, 5, 4)];
      const weights = tf.softmax(tf.mul(tf.matMul(q, k, false, true), 0.5));
      expectClose(attention(q, k, v).output, tf.matMul(weights, v));
      const image = normal<tf.Tensor4D>(4, 1, 3, 3, 2);
      const middle = tf.zeros([1, 1, 1, 2]) as tf.Tensor4D;
      expectClose(
        gridSample(image, middle, { alignCorners: true }),
        tf.slice(image, [0, 1, 1, 0], [1, 1, 1, 2]),
      );
    },
  ],
  [
    "`additiveScore`",
    () => {
      const [w1, w2, v] = [
        normal<tf.Tensor2D>(1, 4, 6),
        normal<tf.Tensor2D>(2, 4, 6),
        normal<tf.Tensor1D>(3, 6),
      ];
      const score = additiveScore({ w1, w2, v });
      const product = (a: tf.Tensor, w: tf.Tensor2D) =>
        tf.reshape(tf.matMul(tf.reshape(a, [-1, 4]), w), [2, -1, 6]);
      const sums = tf.add(tf.expandDims(product(x(), w2), 2), tf.expandDims(product(y(), w1), 1));
      expectClose(score.score(x(), score.prepare(y())), tf.sum(tf.mul(tf.tanh(sums), v), 3));
    },
  ],
  [
    "`true` = may attend",
    () => {
      const [q, v] = [tf.zeros<tf.Rank.R4>([1, 1, 1, 2]), tf.tensor4d([1, 1, 3, 3], [1, 1, 2, 2])];
      const allow = tf.tensor([false, true], [1, 1, 1, 2], "bool");
      expect(Array.from(attention(q, v, v, { allow }).output.dataSync())).toEqual([3, 3]);
    },
  ],
  [
    "`fromTorchMHA(mask, heads)`, `fromHF(window)`",
    () => {
      expect(fromTorchMHA({ shape: [1, 3], dtype: "bool", values: [0, 0, 1] }).values).toEqual(
        Uint8Array.of(1, 1, 0),
      );
      expect(fromHF(4096)).toEqual({ left: 4095, right: 0 });
    },
  ],
  [
    "0 output, 0 weights, 0 gradient",
    () => {
      const [q, k] = [normal<tf.Tensor4D>(1, 1, 1, 2, 4), normal<tf.Tensor4D>(2, 1, 1, 3, 4)];
      const allow = tf.tensor([1, 1, 0, 0, 0, 0], [1, 1, 2, 3], "bool");
      const row = (t: tf.Tensor) => Array.from(tf.slice(t, [0, 0, 1, 0], [1, 1, 1, -1]).dataSync(), Math.abs);
      for (const weights of [false, true]) {
        const made = attention(q, k, k, { allow, weights });
        expect(row(made.output)).toEqual([0, 0, 0, 0]);
        if (weights) expect(row((made as unknown as { weights: tf.Tensor }).weights)).toEqual([0, 0, 0]);
        const gradient = tf.grad((z) => attention(z as tf.Tensor4D, k, k, { allow, weights }).output);
        expect(row(gradient(q))).toEqual([0, 0, 0, 0]);
      }
    },
  ],
  [
    'model.parameters.without("embedding/*")',
    async () => {
      const { model } = await tasks.loadModel("bert/tiny");
      const names = Object.keys(model.parameters.without("embedding/*"));
      expect(names.length).toBeGreaterThan(0);
      expect(names.filter((name) => name.startsWith("embedding/"))).toEqual([]);
      model.dispose();
    },
  ],
  [
    "`loadAdapter(folder, base)`, `writeAdapter(folder, adapter)`",
    async () => {
      const base = await tasks.loadModel("bert/tiny");
      const adapter = LoraAdapter.start(base.model, base.config, { r: 2, seed: 1 });
      const folder = path.join(cache, "adapter");
      tasks.writeAdapter(folder, adapter, { base: "bert/tiny" });
      const again = await tasks.loadAdapter(folder, base);
      expect(again.config).toEqual(adapter.config);
      for (const one of [adapter, again]) one.dispose();
      base.dispose();
    },
  ],
  [
    "`writePretrained(folder, model)`",
    async () => {
      const base = await tasks.loadModel("bert/tiny");
      const folder = path.join(cache, "written");
      await tasks.writePretrained(folder, base);
      const again = await tasks.loadModel(folder);
      expectClose(base.states([3, 1, 4]), again.states([3, 1, 4]));
      base.dispose();
      again.dispose();
    },
  ],
  [
    "`loadKeras(bytes)`, `saveKeras(model)`",
    async () => {
      const input = tfl.input({ shape: [3] });
      const model = tfl.model({
        inputs: input,
        outputs: tfl.layers.dense({ units: 2 }).apply(input) as tfl.SymbolicTensor,
      });
      const again = await loadKeras(await saveKeras(model));
      const given = normal<tf.Tensor2D>(1, 2, 3);
      expectClose(model.predict(given) as tf.Tensor, again.predict(given) as tf.Tensor);
    },
  ],
  [
    "`exportOnnx(model)`",
    async () => {
      const { model } = await tasks.loadModel("bert/tiny");
      // test/onnx runs such files.
      expect(exportOnnx(model).length).toBeGreaterThan(4 * model.parameters.size);
      model.dispose();
    },
  ],
];

const TRANSFORMERS_JS: Rows = [
  [
    "`loadModel(name)` after `heed models fetch`",
    async () => {
      const model = await tasks.loadModel("bert/tiny");
      expect(model.encode("the cat").tokens).toEqual(["[CLS]", "the", "cat", "[SEP]"]);
      model.dispose();
    },
  ],
  [
    "`loadEmbedder(name)`",
    async () => {
      const embedder = await tasks.loadEmbedder(sentences);
      const { text, embedding } = sentenceFixture("mean").texts[0]!;
      const [made] = embedder.embed([text]);
      expect(tasks.cosine(made!.embedding, Float32Array.from(embedding))).toBeGreaterThan(0.999999);
      embedder.dispose();
    },
  ],
  [
    "`continueText(model, prompt)`",
    async () => {
      const model = await tasks.loadModel("gpt2/tiny");
      const steps = [...tasks.continueText(model, [1, 2], { maxTokens: 3 })];
      expect(steps).toHaveLength(3);
      model.dispose();
    },
  ],
  [
    '`loadModel(name, { weights: "stored" })`',
    async () => {
      const model = await tasks.loadModel("gpt2/tiny", { weights: "stored" });
      expect(model.states([1, 2, 3]).shape.slice(0, 2)).toEqual([1, 3]);
      model.dispose();
    },
  ],
  [
    "`model.look(text)`",
    async () => {
      const model = await tasks.loadModel("bert/tiny");
      const { layers: recorded } = model.look("the cat sat");
      expect(recorded).toHaveLength(model.model.config.encoderLayers);
      model.dispose();
    },
  ],
  [
    "`trainOn`, `LoraAdapter`, `withClassifier`",
    async () => {
      // test/train/train-on, test/models/adapters and test/browser/fine-tuning train with them.
      const { model } = await tasks.loadModel("bert/tiny");
      const classifier = withClassifier(model, 3, 1);
      const tokens = tf.tensor2d([[3, 1, 4]], [1, 3], "int32");
      expect(classifier.classLogits(classifier.encode({ tokens })).shape).toEqual([1, 3]);
      classifier.dispose();
    },
  ],
];

describe.each([
  ["Coming from Keras or PyTorch", KERAS],
  ["Coming from transformers.js", TRANSFORMERS_JS],
])("%s", (title, rows) => {
  const written = rowsBelow(title);

  test("every row is run", () => {
    const found = rows.map(([code]) => written.filter((row) => row.includes(code)).length);
    expect(rows.filter((_, n) => found[n] !== 1).map(([code]) => code)).toEqual([]);
    expect(written).toHaveLength(rows.length);
  });

  test.each(rows)("%s", async (_, run) => {
    await run();
  });
});
