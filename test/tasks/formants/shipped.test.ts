import { expect, test } from "vitest";
import { composeClips } from "../../../src/tasks/formants/corpus.ts";
import { scores } from "../../../src/tasks/formants/evaluate.ts";
import { loadVowelClassifier } from "../../../src/tasks/formants/files.ts";
import { FORMANT_RECIPE } from "../../../src/tasks/formants/recipe.ts";

test("the shipped gate hears at least 5 points more at 0 dB, and at least 0.8 of it is on informative bands", async () => {
  const classifier = await loadVowelClassifier();
  const { recipe } = classifier.card.training;
  expect(recipe).toEqual(FORMANT_RECIPE);
  const found = scores(classifier, composeClips(recipe, "test", 0));
  const said = classifier.card.metrics!.levels.find(({ snr }) => snr === 0)!;
  expect(found.accuracy).toBeCloseTo(said.accuracy, 2);
  expect(found.baselineAccuracy).toBeCloseTo(said.baselineAccuracy, 2);
  expect(found.accuracy - found.baselineAccuracy).toBeGreaterThanOrEqual(0.05);
  expect(found.gateMass).toBeGreaterThanOrEqual(0.8);
  // A gate that is open alike has less than half of itself there.
  expect(found.evenMass).toBeLessThan(0.5);
  classifier.dispose();
});
