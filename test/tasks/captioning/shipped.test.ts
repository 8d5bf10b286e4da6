import { statSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Captioner } from "../../../src/tasks/captioning/captioner.ts";
import type { CaptioningCard } from "../../../src/tasks/captioning/card.ts";
import {
  captionStrip,
  DEFAULT_CAPTIONING_RECIPE,
  evaluateCaptions,
  exampleScene,
  loadCaptioner,
  readItemPools,
} from "../../../src/tasks/index.ts";
import { shippedModel } from "../../../src/tasks/model-folder.ts";
import { itWithData } from "../../support/shared-data.ts";

let captioner: Captioner;
let card: CaptioningCard;
beforeAll(async () => {
  captioner = await loadCaptioner();
  card = captioner.card as CaptioningCard;
});
afterAll(() => captioner.dispose());

test("the shipped captioner is small, and its card says how it was made and how well it does", () => {
  const { size } = statSync(path.join(shippedModel("captioning"), "model.safetensors"));
  expect(size).toBeLessThan(2 ** 23);
  let first: CaptioningCard["training"] = card.training;
  expect({ ...first.recipe.model, contextDropout: 0 }).toEqual(DEFAULT_CAPTIONING_RECIPE.model);
  while (first.before) first = first.before;
  expect(first.recipe).toEqual(DEFAULT_CAPTIONING_RECIPE);
  expect(card.data).toMatchObject({ name: "fashion-mnist", licence: "MIT" });
  expect(card.metrics).toMatchObject({ split: "test", scenes: 2000 });
  // Of the 2,000 scenes that the card counts.
  expect(card.metrics.exact).toBeGreaterThanOrEqual(0.9);
  expect(card.metrics.massInside).toBeGreaterThanOrEqual(0.6);
});

test("it captions the examples that need no data, and draws a map for each word", () => {
  const { pixels } = exampleScene(1);
  const [caption] = captioner.caption(pixels);
  expect(caption!.words.every((word) => ["a", "left", "of", "above", ...card.labels].includes(word))).toBe(
    true,
  );
  expect(captionStrip(pixels, caption!)).toContain(
    `${caption!.words.length} words over 8 × 8 cells of an image`,
  );
});

itWithData("fashion-mnist")("it captions as many scenes of test items right as its card says", (folder) => {
  const count = 150;
  const { exact } = evaluateCaptions(captioner, readItemPools(folder).test, count);
  const { exact: p, scenes } = card.metrics;
  // Of a part of the scenes that the card's figure is of: four standard deviations of a sample without replacement.
  const deviation = Math.sqrt(((p * (1 - p)) / count) * (1 - count / scenes));
  expect(Math.abs(exact - p)).toBeLessThan(4 * deviation);
});
