import { DataError } from "../../core/errors.ts";
import type { ForecastingCorpus } from "./cut-series.ts";
import type { SeriesForecaster } from "./forecaster.ts";
import { DRIVERS, TARGET } from "./series.ts";
import type { Windows } from "./windows.ts";

/** How well the windows of a part are forecast. Errors are in squared deviations of the target. */
export interface Evaluation {
  windows: number;
  /** Mean squared error of the model, of its baseline without selection, and of saying what was last. */
  mse: number;
  baselineMse: number;
  persistenceMse: number;
  /** mse / baselineMse */
  ratio: number;
  /** Each input with its mean weight, the largest first. */
  inputs: { name: string; weight: number }[];
  /** Of a composed series: whether every driver has a larger weight than every decoy. */
  driversFirst?: boolean;
  seconds: number;
}

const meanSquare = (windows: Windows, said: (n: number) => number) =>
  windows.targets.reduce((sum, target, n) => sum + (said(n) - target) ** 2, 0) / windows.count;

/**
 * Scores a model and its baseline on windows that training has not seen.
 *
 * @throws DataError MISMATCH where the windows are of other columns than the model's
 */
export function evaluate(
  forecaster: SeriesForecaster,
  { names, test: windows }: Pick<ForecastingCorpus, "names" | "test">,
): Evaluation {
  const { inputs: known, model } = forecaster.card;
  if (names.join("\n") !== known.names.join("\n")) {
    const rule = `columns must be the model's, ${known.names.join(", ")}`;
    const remedy = "give the series that it was trained on";
    throw new DataError("MISMATCH", { op: "evaluate", rule, got: names.join(", "), remedy });
  }
  const begun = performance.now();
  const { values, weights } = forecaster.predict(windows, "model");
  const mse = meanSquare(windows, (n) => values[n]!);
  const { values: plain } = forecaster.predict(windows, "baseline");
  const baselineMse = meanSquare(windows, (n) => plain[n]!);
  const seconds = (performance.now() - begun) / 1000;
  const { window: T, variables: V } = model;
  const persistenceMse = meanSquare(windows, (n) => windows.inputs[(n + 1) * T * V - 1]!);
  const inputs = names.map((name, v) => ({ name, weight: weights[v]! }));
  inputs.sort((a, b) => b.weight - a.weight);
  const driversFirst = areDriversFirst(inputs.map(({ name }) => name));
  return {
    ...{ windows: windows.count, mse, baselineMse, persistenceMse, ratio: mse / baselineMse, inputs },
    ...(driversFirst !== undefined && { driversFirst }),
    seconds,
  };
}

/** Whether the drivers stand before all decoys; the target's own past is neither. Undefined where there are no drivers. */
export function areDriversFirst(ranked: readonly string[]): boolean | undefined {
  const isDriver = (name: string) => (DRIVERS as readonly string[]).includes(name);
  if (!DRIVERS.every((driver) => ranked.includes(driver))) return undefined;
  return ranked
    .filter((name) => name !== TARGET)
    .slice(0, DRIVERS.length)
    .every(isDriver);
}
