import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { VariableSelectionForecaster } from "../../models/gated/index.ts";
import { tidyData } from "../../ops/tidy.ts";
import type { Compared } from "../compared-models.ts";
import {
  type ComparedTraining,
  type Contender,
  gatherExamples,
  prepareRun,
  trainCompared,
  trainingOfBoth,
} from "../compared-training.ts";
import type { RunOptions } from "../run-options.ts";
import { draftCard, type ForecastingCard } from "./card.ts";
import { readCorpus } from "./corpus.ts";
import type { ForecastingCorpus } from "./cut-series.ts";
import { type Evaluation, evaluate } from "./evaluate.ts";
import { writeModelFolder } from "./files.ts";
import { SeriesForecaster } from "./forecaster.ts";
import type { ForecastingRecipe } from "./recipe.ts";
import type { Windows } from "./windows.ts";

const OP = "heed train forecasting";

export interface ForecastingRun {
  stopped: "done" | "signal";
  /** Of the finished model; undefined when the run was stopped by a signal. */
  card?: ForecastingCard;
  /** Of the test part, by the finished model. */
  evaluation?: Evaluation;
}

/**
 * Trains a forecaster, and the same without selection, to a model folder; stopped at any moment, it goes on where it was. The
 * data are a CSV file, a folder with `series.csv`, or "" for the composed series.
 */
export async function runForecasting(options: RunOptions<ForecastingRecipe>): Promise<ForecastingRun> {
  const { dataDir, command, outDir } = options;
  await prepareRun(OP, options as RunOptions<never>);
  const recipe = dataDir === "" ? options.recipe : { ...options.recipe, data: path.parse(dataDir).name };
  const corpus = readCorpus(OP, dataDir, recipe);
  const { names, scaling } = corpus;
  const configOf = (which: Compared) => ({
    ...recipe.model,
    variables: names.length,
    gated: which === "model",
  });
  const trained = await trainCompared({
    op: OP,
    run: { ...options, recipe },
    checksum: corpus.checksum,
    examples: corpus.train.count,
    start: (which) => contender(new VariableSelectionForecaster(configOf(which), recipe.seed), corpus),
  });
  if (!trained) return { stopped: "signal" };
  const finished = (which: Compared, { weights }: ComparedTraining) =>
    new VariableSelectionForecaster(configOf(which), weights);
  const model = finished("model", trained.model);
  const baseline = finished("baseline", trained.baseline);
  const draft = draftCard({
    model: configOf("model"),
    parameters: model.parameters.size + baseline.parameters.size,
    baselineParameters: baseline.parameters.size,
    inputs: { names, scaling },
    training: trainingOfBoth({ command, recipe }, trained),
  });
  const forecaster = new SeriesForecaster({ card: draft, model, baseline });
  const evaluation = evaluate(forecaster, corpus);
  const { seconds: _, ...scores } = evaluation;
  const metrics = { split: "test", ...scores, command: "heed evaluate forecasting" } as const;
  const card = { ...draft, metrics };
  writeModelFolder(outDir, { model, baseline, card });
  forecaster.dispose();
  return { stopped: "done", card, evaluation };
}

/** One of the two over the windows of a corpus: mean squared errors, the validation part's with its sign turned. */
function contender(model: VariableSelectionForecaster, { train, valid }: ForecastingCorpus): Contender {
  const { window: T, variables: V } = model.config;
  const error = ({ inputs, targets }: Windows, examples: ArrayLike<number>) => {
    const size = T * V;
    const x = gatherExamples(inputs, size, examples);
    const y = Float32Array.from(examples, (n) => targets[n]!);
    const { output } = model.forecast(tf.tensor3d(x, [examples.length, T, V]));
    return tf.mean(tf.squaredDifference(output, tf.tensor1d(y))) as tf.Scalar;
  };
  const all = Int32Array.from({ length: valid.count }, (_, n) => n);
  return {
    parameters: model.parameters,
    loss: (examples) => tf.tidy(() => error(train, examples)),
    // In hundredths, which is what the progress shows digits for.
    score: () => -100 * tidyData(() => error(valid, all).dataSync()[0]!),
  };
}
