import { expect, test } from "vitest";
import { filesOfFolder, shippedModel } from "../../../src/tasks/model-folder.ts";
import { drawnDigits } from "../../../src/tasks/tracking/digits.ts";
import { evaluate } from "../../../src/tasks/tracking/evaluate.ts";
import { DEFAULT_TRACKER, loadTracker } from "../../../src/tasks/tracking/files.ts";
import { readModel } from "../../../src/tasks/tracking/read.ts";
import { TRACKING_RECIPE } from "../../../src/tasks/tracking/recipe.ts";
import { DigitTracker } from "../../../src/tasks/tracking/tracker.ts";

test("the shipped tracker follows drawn digits, and finds hidden ones again at least as often as its card says of them", async () => {
  const shipped = await loadTracker();
  expect(shipped.card.training.recipe).toEqual(TRACKING_RECIPE);
  shipped.dispose();
  const { card, values } = readModel(filesOfFolder(shippedModel(DEFAULT_TRACKER)));
  const { training, drawn } = card;
  const fewer = { ...card, training: { ...training, recipe: { ...training.recipe, testVideos: 60 } } };
  const tracker = new DigitTracker({ card: fewer, values });
  const found = evaluate(tracker, drawnDigits());
  expect(found.before).toBeGreaterThanOrEqual(0.85);
  // Sixty videos in place of five hundred: three deviations of a share.
  const off = (share: number) => 3 * Math.sqrt((share * (1 - share)) / 60);
  expect(Math.abs(found.recovery - drawn.recovery)).toBeLessThan(off(drawn.recovery));
  expect(Math.abs(found.baselineRecovery - drawn.baselineRecovery)).toBeLessThan(off(drawn.baselineRecovery));
  tracker.dispose();
});
