import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { useHeedBackend } from "../../../src/host/select.ts";
import {
  bert,
  encodePretrained,
  generate,
  LoraAdapter,
  llama,
  mergeAdapter,
  searchTransformer,
  Transformer,
  withClassifier,
} from "../../../src/models/index.ts";
import { exportOnnx } from "../../../src/onnx/index.ts";
import { writePretrained } from "../../../src/tasks/pretrained/write.ts";

beforeAll(() => useHeedBackend());

const RULE = "must be a Transformer, got an object that has one; pass its field model";

it("what loadModel gives, in place of its model, is refused by name with what to pass", () => {
  const model = new Transformer(llama({ layers: 1, width: 8, heads: 2, vocabulary: 5 }), 1);
  const adapter = LoraAdapter.start(model);
  onTestFinished(() => {
    adapter.dispose();
    model.dispose();
  });
  const pretrained = { model, config: {} } as unknown as Transformer;
  const before = tf.memory().numTensors;
  const tokens = { start: 0, end: 1, never: [] };
  const calls: [string, () => unknown][] = [
    ["generate: model", () => generate(pretrained, [[1]], { maxTokens: 1 })],
    ["searchTransformer: model", () => searchTransformer(pretrained, [[1]], { tokens })],
    ["withClassifier: model", () => withClassifier(pretrained, 2)],
    ["LoraAdapter.start: model", () => LoraAdapter.start(pretrained)],
    ["mergeAdapter: model", () => mergeAdapter(pretrained, adapter)],
    ["encodePretrained: model", () => encodePretrained(pretrained)],
    ["exportOnnx: model, where it is no LayersModel,", () => exportOnnx(pretrained)],
  ];
  for (const [name, call] of calls) {
    expect(call).toThrow(expect.objectContaining({ code: "OPTION", message: `${name} ${RULE}` }));
  }
  expect(tf.memory().numTensors).toBe(before);
});

it("a Transformer in place of what loadModel gives is refused before anything is written", async () => {
  const model = new Transformer(bert({ layers: 1, width: 6, heads: 2, vocabulary: 5, positions: 3 }), 1);
  const folder = mkdtempSync(path.join(tmpdir(), "heed-check-model-"));
  onTestFinished(() => {
    model.dispose();
    rmSync(folder, { recursive: true });
  });
  await expect(writePretrained(folder, model as never)).rejects.toThrow(
    "writePretrained: the model of { model, config } must be a Transformer, got nothing; pass a Transformer, or the " +
      "field model of what loadModel gives",
  );
  expect(readdirSync(folder)).toEqual([]);
});
