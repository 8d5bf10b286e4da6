import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readImages } from "../../../src/data/labelled-images.ts";
import { evaluate } from "../../../src/tasks/image-classification/evaluate.ts";
import { loadClassifier } from "../../../src/tasks/image-classification/files.ts";
import { patchRollout } from "../../../src/tasks/image-classification/patch-rollout.ts";
import type { Recipe } from "../../../src/tasks/image-classification/recipe.ts";
import { type ClassificationRun, runClassification } from "../../../src/tasks/image-classification/run.ts";
import type { RunOptions } from "../../../src/tasks/run-options.ts";
import { writePart } from "../../support/idx.ts";
import { TINY_RECIPE, tinyImages } from "./fixture.ts";

let dataDir: string;
let whole: ClassificationRun;
beforeAll(async () => {
  dataDir = tinyImages();
  whole = await runClassification(options("whole"));
});
afterAll(() => rmSync(dataDir, { recursive: true }));

function options(name: string, more: Partial<RunOptions<Recipe>> = {}): RunOptions<Recipe> {
  const at = (folder: string) => path.join(dataDir, name, folder);
  return {
    recipe: TINY_RECIPE,
    dataDir,
    runDir: at("run"),
    outDir: at("model"),
    command: "heed train image-classification",
    threads: 1,
    ...more,
  };
}

const model = (name: string) => path.join(dataDir, name, "model");
const weights = (name: string) => readFileSync(path.join(model(name), "model.safetensors"));

/** Aborts while step `k` of a run is under way. */
function stopAt(k: number): Partial<RunOptions<Recipe>> {
  const stop = new AbortController();
  return {
    signal: stop.signal,
    progress: { update: ({ step }) => step >= k && stop.abort(), log() {}, stop() {} },
  };
}

test("training learns: the model folder loads and classifies as its card says", async () => {
  const { stopped, card, evaluation } = whole;
  expect(stopped).toBe("done");
  expect(card?.metrics.accuracy).toBe(evaluation?.accuracy);
  expect(card?.metrics.accuracy).toBeGreaterThan(0.8);
  expect(card?.data.licence).toBe("not stated");
  expect(card?.labels).toEqual(["0", "1", "2"]);
  const before = tf.memory().numTensors;
  const classifier = await loadClassifier(model("whole"));
  expect(classifier.card).toEqual(card);
  const images = readImages(dataDir, "test");
  const { accuracy, recalls } = evaluate(classifier, images);
  expect(accuracy).toBe(card?.metrics.accuracy);
  expect(recalls).toHaveLength(3);
  for (const { label, name, probabilities } of classifier.classify(images.pixels)) {
    expect(probabilities.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
    expect(probabilities[label]).toBe(Math.max(...probabilities));
    expect(name).toBe(String(label));
  }
  classifier.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

test("a look at an image is a trace of every layer, with the image and its patches", async () => {
  const classifier = await loadClassifier(model("whole"));
  const { pixels } = readImages(dataDir, "test");
  const one = pixels.subarray(0, 8 * 12);
  const trace = classifier.look(one);
  expect(trace.layers.map(({ T, S, H }) => [T, S, H])).toEqual([
    [7, 7, 2],
    [7, 7, 2],
  ]);
  expect(trace.grid).toEqual({ height: 2, width: 3, patch: 4, cls: 1 });
  expect(trace.tokens.patches).toEqual(["[class]", "1:1", "1:2", "1:3", "2:1", "2:2", "2:3"]);
  for (const layers of [1, 2]) {
    const shares = patchRollout(trace, layers);
    expect(shares).toHaveLength(6);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
  }
  expect(() => classifier.look(pixels)).toThrow(
    "ImageClassifier: pixels must be one image of 8·12 pixels, got 1632 bytes; pass grey images as bytes, row by row",
  );
  expect(() => classifier.classify(pixels.subarray(1))).toThrow("pixels must be whole images of 8·12 pixels");
  classifier.dispose();
});

test("a run that is stopped and started again makes the same model, bit for bit", async () => {
  expect(await runClassification(options("stopped", stopAt(7)))).toEqual({ stopped: "signal" });
  expect(existsSync(path.join(model("stopped"), "card.json"))).toBe(false);
  const { stopped } = await runClassification(options("stopped"));
  expect(stopped).toBe("done");
  expect(weights("stopped").equals(weights("whole"))).toBe(true);
});

test("a run refuses what cannot be cut into patches or batches, before it trains", async () => {
  const { model: sizes } = TINY_RECIPE;
  const odd = options("odd", { recipe: { ...TINY_RECIPE, model: { ...sizes, patch: 5 } } });
  await expect(runClassification(odd)).rejects.toThrow(
    "heed train image-classification: patches of side 5 must fill the images, got images of 8 × 12; choose a side that " +
      "divides both",
  );
  const large = options("large", { recipe: { ...TINY_RECIPE, shardImages: 28 } });
  await expect(runClassification(large)).rejects.toThrow(
    "there must be images for a batch of 2 shards of 28, got 55; choose a smaller shardImages in the recipe",
  );
});

test("a run refuses test images that its model could not be scored on, before it trains", async () => {
  const other = tinyImages();
  const part = { height: 8, width: 12, count: 5, pixel: () => 0 };
  writePart(other, "t10k", { ...part, label: (n) => n });
  await expect(runClassification(options("other", { dataDir: other }))).rejects.toThrow(
    "heed train image-classification: labels must be below the model's 3 classes, got 3; take images and labels of one " +
      "data set, that of the model",
  );
  rmSync(other, { recursive: true });
});

describe("a model folder", () => {
  const CARDS: [string, (card: Record<string, never>) => object][] = [
    ["no image", (card) => ({ ...card, model: { ...(card.model as object), image: undefined } })],
    ["patches that fill no image", (card) => withImage(card, { patch: 5 })],
    ["an image that fills the memory", (card) => withImage(card, { height: 4096, width: 4096 })],
    ["no deviation", (card) => withImage(card, { deviation: 0 })],
    ["a name too few", (card) => ({ ...card, labels: ["0", "1"] })],
    ["names that are numbers", (card) => ({ ...card, labels: [0, 1, 2] })],
    ["a data set elsewhere", (card) => ({ ...card, data: { name: "../data" } })],
    ["heads that do not fit", (card) => ({ ...card, model: { ...(card.model as object), heads: 3 } })],
  ];
  const withImage = ({ model, ...card }: Record<string, never>, more: object) => ({
    ...card,
    model: { ...(model as object), image: { ...(model as { image: object }).image, ...more } },
  });

  test.each(CARDS)("whose card has %s is refused", async (_, change) => {
    const file = path.join(model("whole"), "card.json");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, JSON.stringify(change(JSON.parse(text))));
    try {
      await expect(loadClassifier(model("whole"))).rejects.toMatchObject({ code: "DAMAGED" });
    } finally {
      writeFileSync(file, text);
    }
  });

  test("whose weights are of other sizes is refused", async () => {
    const file = path.join(model("whole"), "card.json");
    const text = readFileSync(file, "utf8");
    const card = JSON.parse(text);
    writeFileSync(file, JSON.stringify({ ...card, model: { ...card.model, width: 18 } }));
    try {
      await expect(loadClassifier(model("whole"))).rejects.toMatchObject({ code: "MISMATCH" });
    } finally {
      writeFileSync(file, text);
    }
  });
});

test("evaluate refuses images of another size and labels that the model does not have", async () => {
  const classifier = await loadClassifier(model("whole"));
  const images = readImages(dataDir, "test");
  expect(() => evaluate(classifier, { ...images, height: 12, width: 8 })).toThrow(
    "evaluate: images must be 8 × 12, as the model's, got 12 × 8; take images and labels of one data set, " +
      "that of the model",
  );
  expect(() => evaluate(classifier, { ...images, labels: images.labels.map(() => 3) })).toThrow(
    "evaluate: labels must be below the model's 3 classes, got 3",
  );
  classifier.dispose();
});
