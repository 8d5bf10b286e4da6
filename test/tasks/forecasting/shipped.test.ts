import { expect, test } from "vitest";
import { readCorpus } from "../../../src/tasks/forecasting/corpus.ts";
import { areDriversFirst, evaluate } from "../../../src/tasks/forecasting/evaluate.ts";
import { loadForecaster } from "../../../src/tasks/forecasting/files.ts";
import { FORECASTING_RECIPE } from "../../../src/tasks/forecasting/recipe.ts";
import { exampleSeries } from "../../../src/tasks/forecasting/series.ts";

test("the shipped selection has at most 0.8 of the error without it, and reads the true drivers first", async () => {
  const forecaster = await loadForecaster();
  const { recipe } = forecaster.card.training;
  expect(recipe).toEqual(FORECASTING_RECIPE);
  const { mse, ratio, driversFirst, persistenceMse } = evaluate(forecaster, readCorpus("op", "", recipe));
  expect(mse).toBeCloseTo(forecaster.card.metrics!.mse, 4);
  expect(ratio).toBeLessThanOrEqual(0.8);
  expect(mse).toBeLessThan(persistenceMse);
  expect(driversFirst).toBe(true);
  // Of other series by the same law too, in whatever order their columns stand.
  for (const seed of [1, 2, 3]) {
    const { inputs } = forecaster.forecast(exampleSeries(seed));
    expect(areDriversFirst(inputs.map(({ name }) => name))).toBe(true);
  }
  forecaster.dispose();
});
