import * as tf from "@tensorflow/tfjs-core";
import { capture } from "../../capture/capture.ts";
import { DataError } from "../../core/errors.ts";
import type { Trace } from "../../inspect/index.ts";
import type { VariableSelectionForecaster } from "../../models/gated/index.ts";
import { tidyData } from "../../ops/tidy.ts";
import { type Compared, ComparedModels } from "../compared-models.ts";
import type { DraftCard } from "./card.ts";
import type { Series } from "./series.ts";
import { type Windows, windowsOf } from "./windows.ts";

/** How much of an input was read. */
export interface InputWeight {
  name: string;
  weight: number;
}

/** The time after a series, and what says so. */
export interface Forecast {
  target: string;
  /** In the target's unit. */
  value: number;
  /** Each input's weight, the mean over all windows of the series and their times; the largest first. They sum to 1. */
  inputs: InputWeight[];
  windows: number;
}

const OP = "SeriesForecaster";
const BATCH_SIZE = 256;

/**
 * Forecasts a series from many inputs, and says which of them it reads.
 *
 * @example
 * const forecaster = await loadForecaster();
 * const { inputs } = forecaster.forecast(composeSeries({ times: 40, decoys: 9, seed: 1 }));
 * inputs.length; // 13
 * forecaster.dispose();
 */
export class SeriesForecaster extends ComparedModels<VariableSelectionForecaster, DraftCard> {
  /**
   * The number after the last time.
   *
   * @throws DataError MISMATCH where the columns are not the model's, SHAPE where there are fewer times than a window has
   */
  forecast(series: Series): Forecast {
    const windows = this.#windows(series);
    const { names, scaling } = this.card.inputs;
    const { values, weights } = this.predict(windows, "model");
    const last = names.length - 1;
    const inputs = names.map((name, v) => ({ name, weight: weights[v]! }));
    return {
      target: names[last]!,
      value: values.at(-1)! * scaling.deviations[last]! + scaling.means[last]!,
      inputs: inputs.sort((a, b) => b.weight - a.weight),
      windows: windows.count,
    };
  }

  /** Scaled forecasts of windows by one of the two, and the mean weight of each input. */
  predict({ count, inputs }: Windows, which: Compared) {
    const { window: T, variables: V } = this.card.model;
    const model = this.models[which];
    const values = new Float32Array(count);
    const weights = new Float64Array(V);
    for (let from = 0; from < count; from += BATCH_SIZE) {
      const B = Math.min(BATCH_SIZE, count - from);
      tidyData(() => {
        const x = tf.tensor3d(inputs.subarray(from * T * V, (from + B) * T * V), [B, T, V]);
        const { output, gate } = model.forecast(x);
        values.set(output.dataSync<"float32">(), from);
        for (const [v, share] of tf.mean(gate, [0, 1]).dataSync<"float32">().entries())
          weights[v]! += (share * B) / count;
      });
    }
    return { values, weights };
  }

  /**
   * How the last forecast came about: a trace with the attention over the times of the window, and the inputs that were read at
   * each of them as the gate `variableSelection`, [T, V].
   */
  look(series: Series): Trace {
    const { window: T, variables: V } = this.card.model;
    const { inputs, count } = this.#windows(series);
    const tokens = { times: Array.from({ length: T }, (_, t) => (t === T - 1 ? "last" : `−${T - 1 - t}`)) };
    const last = inputs.slice((count - 1) * T * V);
    return capture((x: Float32Array) => this.models.model.forecast(tf.tensor3d(x, [1, T, V])), last, {
      tokens,
    });
  }

  /** All windows of a series, the one after whose last time nothing is known included. */
  #windows({ names, columns }: Series): Windows {
    const { inputs, model } = this.card;
    const refuse = (code: "MISMATCH" | "SHAPE", rule: string, got: string, remedy: string) => {
      throw new DataError(code, { op: OP, rule, got, remedy });
    };
    const missing = inputs.names.find((name) => !names.includes(name));
    if (missing !== undefined) {
      const rule = `a table must have the columns of the model, ${inputs.names.join(", ")}`;
      const remedy = "train a model on such tables: heed train forecasting --data TABLE.csv";
      refuse("MISMATCH", rule, `none named ${JSON.stringify(missing)}`, remedy);
    }
    const N = columns[0]!.length;
    if (N < model.window) {
      const remedy = "give more rows";
      refuse("SHAPE", `a table must have the ${model.window} times of a window`, String(N), remedy);
    }
    // One more time, of which only the target would be read.
    const longer = inputs.names.map((name) => {
      const column = new Float64Array(N + 1);
      column.set(columns[names.indexOf(name)]!);
      return column.fill(column[N - 1]!, N);
    });
    return windowsOf(longer, inputs.scaling, model.window, 0, N + 1);
  }
}
