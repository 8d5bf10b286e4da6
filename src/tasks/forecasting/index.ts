/** Forecasts of series with inputs that matter and inputs that do not: load a model, forecast, see what it read, train another. */
export type { ForecastingCard } from "./card.ts";
export { parseSeries, readSeries, type SeriesTable } from "./csv.ts";
export { drawInputs } from "./draw.ts";
export { type Evaluation as ForecastingEvaluation, evaluate as evaluateForecaster } from "./evaluate.ts";
export { DEFAULT_FORECASTER, loadForecaster } from "./files.ts";
export { type Forecast, type InputWeight, SeriesForecaster } from "./forecaster.ts";
export { FORECASTING_RECIPE, type ForecastingRecipe } from "./recipe.ts";
export { type ForecastingRun, runForecasting } from "./run.ts";
export {
  type ComposeOptions as ComposeSeriesOptions,
  composeSeries,
  exampleSeries,
  type Series,
} from "./series.ts";
