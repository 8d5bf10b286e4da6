import { statSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { boxOverlap } from "../../../src/models/set/bounding-boxes.ts";
import {
  DEFAULT_DETECTION_RECIPE,
  type DetectionCard,
  evaluateDetector,
  exampleScene,
  type ItemDetector,
  loadDetector,
  readItemPools,
} from "../../../src/tasks/index.ts";
import { shippedModel } from "../../../src/tasks/model-folder.ts";
import { itWithData } from "../../support/shared-data.ts";

let detector: ItemDetector;
let card: DetectionCard;
beforeAll(async () => {
  detector = await loadDetector();
  card = detector.card as DetectionCard;
});
afterAll(() => detector.dispose());

test("the shipped detector is small, and its card says how it was made, of what, and how well it does", () => {
  const { size } = statSync(path.join(shippedModel("detection"), "model.safetensors"));
  expect(size).toBeLessThan(2 ** 20);
  expect(card.training.recipe).toEqual(DEFAULT_DETECTION_RECIPE);
  expect(card.data).toMatchObject({ name: "fashion-mnist", licence: "MIT" });
  expect(card.metrics).toMatchObject({ split: "test", scenes: 2000 });
  expect(card.metrics.precision).toBeGreaterThanOrEqual(0.8);
  expect(card.metrics.precisions).toHaveLength(card.labels.length);
});

test("it finds the items of the example where they are, and nothing on black", () => {
  const { pixels, items } = exampleScene(1);
  const [found, none] = detector.detect(Uint8Array.from([...pixels, ...new Uint8Array(64 * 64)]));
  expect(found).toHaveLength(items.length);
  for (const { name, box } of items) {
    const one = found!.find((other) => other.name === name)!;
    expect(boxOverlap(one.box, box).iou).toBeGreaterThan(0.5);
  }
  expect(none).toEqual([]);
});

itWithData("fashion-mnist")("it finds as many items of scenes as its card says", (folder) => {
  const { precision } = evaluateDetector(detector, readItemPools(folder).test, 200);
  // Of a tenth of the scenes that the card's figure is of.
  expect(Math.abs(precision - card.metrics.precision)).toBeLessThan(0.04);
});
