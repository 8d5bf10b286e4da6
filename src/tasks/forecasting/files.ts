import { useHeedBackend } from "../../host/select.ts";
import { bothValues } from "../compared-models.ts";
import {
  CARD,
  cardFile,
  filesOfFolder,
  shippedModel,
  WEIGHTS,
  weightsFile,
  writeFiles,
} from "../model-folder.ts";
import type { ForecastingCard } from "./card.ts";
import { SeriesForecaster } from "./forecaster.ts";
import { type ForecastingModel, readModel } from "./read.ts";

/** Writes a model folder: float16 weights of both, and the card. */
export function writeModelFolder(
  dir: string,
  { model, baseline, card }: ForecastingModel<ForecastingCard>,
): void {
  const variables = bothValues(model.parameters.variables, baseline.parameters.variables);
  writeFiles(dir, {
    [WEIGHTS]: weightsFile(variables, { model: "variable-selection-forecaster" }),
    [CARD]: cardFile(card),
  });
}

/** The model that ships with heed. */
export const DEFAULT_FORECASTER = "forecasting";

/**
 * Loads a forecaster.
 *
 * @param place the name of one that ships with heed, or a folder
 * @throws OptionError OPTION · FileError MISSING · DataError DAMAGED, MISMATCH, FORMAT
 */
export async function loadForecaster(place: string = DEFAULT_FORECASTER): Promise<SeriesForecaster> {
  const folder = shippedModel(place, "loadForecaster");
  await useHeedBackend();
  return new SeriesForecaster(readModel(filesOfFolder(folder)));
}
