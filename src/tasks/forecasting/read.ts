import { forecasterParameters, VariableSelectionForecaster } from "../../models/gated/index.ts";
import { type ComparedPair, readBoth } from "../compared-models.ts";
import { CARD, isCount, type ModelFiles, ModelReader, WEIGHTS } from "../model-files.ts";
import type { DraftCard, ForecastingCard } from "./card.ts";

const OP = "loadForecaster";
/** The most of anything that a card may ask for: it decides how much memory a window takes. */
const MOST = 4096;

/** A model, its baseline and their card. */
export type ForecastingModel<Card extends DraftCard = DraftCard> = ComparedPair<
  VariableSelectionForecaster,
  Card
>;

/** What forecasting reads of a card. */
function checkCard(folder: ModelReader, { model, inputs, data }: ForecastingCard): void {
  const refuse = (got: string) => folder.damaged(CARD, got.slice(0, 200));
  const { variables, window, narrow, width, heads, gated } = model;
  const areSizes =
    [variables, window, narrow, width, heads].every((n) => isCount(n, MOST)) && width % heads === 0;
  if (!areSizes || gated !== true) throw refuse(`model ${JSON.stringify(model)}`);
  const { names, scaling } = inputs;
  const isList = (list: unknown, fits: (item: unknown) => boolean) =>
    Array.isArray(list) && list.length === variables && list.every(fits);
  const areNames = isList(names, (name) => typeof name === "string") && new Set(names).size === variables;
  const areNumbers =
    isList(scaling?.means, Number.isFinite) &&
    isList(scaling?.deviations, (x) => Number.isFinite(x) && (x as number) > 0);
  if (!areNames || !areNumbers) throw refuse(`inputs ${JSON.stringify(inputs)}`);
  folder.checkDataName(data);
}

/** Reads the files that `writeModelFolder` wrote. The backend must be ready. */
export function readModel(files: ModelFiles): ForecastingModel<ForecastingCard> {
  const folder = new ModelReader(OP, files, [WEIGHTS, CARD]);
  const card = folder.json<ForecastingCard>(CARD, ["model", "inputs", "data"]);
  checkCard(folder, card);
  const without = { ...card.model, gated: false };
  const values = readBoth(folder, forecasterParameters(card.model), forecasterParameters(without));
  return {
    model: new VariableSelectionForecaster(card.model, values.model),
    baseline: new VariableSelectionForecaster(without, values.baseline),
    card,
  };
}
