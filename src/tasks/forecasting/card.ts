import type { VariableSelectionForecasterConfig } from "../../models/gated/index.ts";
import type { CardData } from "../card-data.ts";
import type { Training } from "../compared-training.ts";
import type { Evaluation } from "./evaluate.ts";
import { COMPOSED, type ForecastingRecipe } from "./recipe.ts";
import type { Scaling } from "./windows.ts";

/** What a reader must know of a trained model: the data and its licence, how it was made, how well it does. */
export interface ForecastingCard {
  name: string;
  task: "forecasting";
  description: string;
  model: VariableSelectionForecasterConfig;
  /** Of the model and of its baseline without selection together, as the file has them, and of the baseline alone. */
  parameters: number;
  baselineParameters: number;
  /** The columns that it reads, the last of which it forecasts, and how they become numbers around 0. */
  inputs: { names: readonly string[]; scaling: Scaling };
  data: CardData;
  /** Of the model, and of its baseline. */
  training: Training & { command: string; recipe: ForecastingRecipe; baseline: Training };
  metrics: Omit<Evaluation, "seconds"> & { split: "test"; command: string };
  limits: string[];
}

/** What is known before training: the card without its results. */
export type DraftCard = Omit<ForecastingCard, "metrics"> & { metrics?: ForecastingCard["metrics"] };

/** The card of a model, up to its results. */
export function draftCard(
  of: Pick<ForecastingCard, "model" | "parameters" | "baselineParameters" | "inputs"> & {
    training: ForecastingCard["training"];
  },
): DraftCard {
  const { recipe } = of.training;
  const isComposed = recipe.data === COMPOSED;
  return {
    name: "forecasting",
    task: "forecasting",
    description:
      "Selects the inputs of a series at each time, attends over the times of a window, and forecasts the next one; beside it " +
      "the same model without selection.",
    ...of,
    data: isComposed
      ? {
          name: COMPOSED,
          licence: "MIT",
          attribution: "Composed by heed from the recipe's seed.",
          changes: "None; the first 0.7 of the times are for training, half of the rest for validation.",
        }
      : { name: recipe.data, licence: "not stated", attribution: "not stated", changes: "not stated" },
    limits: [
      "Knows the columns that it was trained on, by their names and in their units, and no others: train one on yours.",
      "One time ahead, and one number without an interval.",
      "A weight says how much of an input was read, not that the input causes what is forecast.",
    ],
  };
}
