import type { VariableSelectionForecasterConfig } from "../../models/gated/index.ts";
import type { ComparedRecipe } from "../compared-training.ts";

/**
 * Everything that decides what a training run computes. The same recipe and data give the same model, bit for bit, on
 * one machine and kernel build, however often the run is stopped.
 */
export interface ForecastingRecipe extends ComparedRecipe {
  model: Omit<VariableSelectionForecasterConfig, "variables" | "gated">;
  /** Of the series that is composed where no table is given. */
  times: number;
  decoys: number;
  /** The column that is forecast; "" for the last one. */
  target: string;
}

/** The name of the series that heed composes itself. */
export const COMPOSED = "composed-growth";

/** The recipe of the shipped model. */
export const FORECASTING_RECIPE: ForecastingRecipe = {
  data: COMPOSED,
  model: { window: 8, narrow: 32, width: 16, heads: 2 },
  times: 6000,
  decoys: 9,
  target: "",
  seed: 1,
  epochs: 80,
  batch: 64,
  learningRate: 5e-3,
  warmupSteps: 100,
  clipNorm: 1,
  evaluateEvery: 65,
  patience: 10,
};
