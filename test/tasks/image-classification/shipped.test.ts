import { statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readIdx } from "../../../src/data/idx.ts";
import { readImages, sliceImages } from "../../../src/data/labelled-images.ts";
import type { ClassificationCard } from "../../../src/tasks/image-classification/card.ts";
import type { ImageClassifier } from "../../../src/tasks/image-classification/classifier.ts";
import { drawRollouts } from "../../../src/tasks/image-classification/draw.ts";
import { evaluate } from "../../../src/tasks/image-classification/evaluate.ts";
import { DEFAULT_CLASSIFIER, loadClassifier } from "../../../src/tasks/image-classification/files.ts";
import { patchRollout } from "../../../src/tasks/image-classification/patch-rollout.ts";
import { DEFAULT_RECIPE } from "../../../src/tasks/image-classification/recipe.ts";
import { shippedModel } from "../../../src/tasks/model-folder.ts";
import { itWithData } from "../../support/shared-data.ts";

const FOUR = fileURLToPath(
  new URL("../../../examples/data/fashion-mnist/four-images-idx3-ubyte.gz", import.meta.url),
);

let classifier: ImageClassifier;
let card: ClassificationCard;
beforeAll(async () => {
  classifier = await loadClassifier();
  card = classifier.card as ClassificationCard;
});
afterAll(() => classifier.dispose());

test("the shipped classifier is small, and its card says how it was made and of what", () => {
  expect(statSync(path.join(shippedModel(DEFAULT_CLASSIFIER), "model.safetensors")).size).toBeLessThan(
    2 ** 20,
  );
  expect(card.training.recipe).toEqual(DEFAULT_RECIPE);
  expect(card.data).toMatchObject({ name: "fashion-mnist", licence: "MIT" });
  expect(card.metrics).toMatchObject({ split: "test", images: 10_000 });
  expect(card.metrics.accuracy).toBeGreaterThanOrEqual(0.88);
});

test("it names the four pieces of clothing of the example, whose rollout differs from piece to piece", () => {
  const { data: pixels } = readIdx(FOUR);
  const names = classifier.classify(pixels).map(({ name }) => name);
  expect(names).toEqual(["Ankle boot", "Trouser", "Dress", "Bag"]);
  const rollouts = names.map((_, n) =>
    patchRollout(classifier.look(pixels.subarray(n * 784, (n + 1) * 784))),
  );
  for (const shares of rollouts) expect(shares).toHaveLength(49);
  const [boot, trouser] = rollouts as [Float64Array, Float64Array];
  expect(boot.some((share, patch) => Math.abs(share - trouser[patch]!) > 0.2 / 49)).toBe(true);
  const svg = drawRollouts(classifier, pixels);
  expect(svg).toContain("rollout: Ankle boot · Trouser · Dress · Bag");
  expect(svg).toContain("7 × 28 cells of an image");
});

itWithData("fashion-mnist")("it finds as many of the first test images as its card says", (folder) => {
  const count = 2500;
  const { accuracy } = evaluate(classifier, sliceImages(readImages(folder, "test"), 0, count));
  // Of a part of the images that the card's figure is of: four standard deviations of a sample without replacement.
  const { accuracy: p, images } = card.metrics;
  const deviation = Math.sqrt(((p * (1 - p)) / count) * (1 - count / images));
  expect(Math.abs(accuracy - p)).toBeLessThan(4 * deviation);
});
