import { Command } from "commander";
import { type Io, write } from "./io.ts";

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

interface Flags {
  model?: string;
  data?: string;
  drawn?: boolean;
  json?: boolean;
}

/** `heed evaluate formants`, which composes its test itself. */
export function evaluateFormants(io: Io): Command {
  return new Command("formants")
    .description("Composes vowels in noise, and counts which the gated and the ungated model hear right.")
    .option("--model <dir>", "folder of the model (default: the one that ships with heed)")
    .option("--json", "one JSON object")
    .action(async (flags: Flags) => {
      const [{ loadVowelClassifier }, { evaluate }] = await Promise.all([
        import("../tasks/formants/files.ts"),
        import("../tasks/formants/evaluate.ts"),
      ]);
      const classifier = await loadVowelClassifier(flags.model);
      const result = evaluate(classifier);
      classifier.dispose();
      if (flags.json) return write(io.stdout, `${JSON.stringify(result)}\n`);
      const rows = result.levels.map(
        ({ snr, accuracy, baselineAccuracy, gateMass }) =>
          `${snr} dB: ${percent(accuracy)} right, ${percent(baselineAccuracy)} without the gate; ` +
          `${percent(gateMass)} of the gate on informative bands\n`,
      );
      await write(io.stdout, `test: ${result.clips} vowels at each level\n${rows.join("")}`);
    });
}

/** `heed evaluate forecasting`: the composed series, or a table. */
export function evaluateForecasting(io: Io): Command {
  return new Command("forecasting")
    .description("Forecasts the last part of a series with the gated and the ungated model.")
    .option("--model <dir>", "folder of the model (default: the one that ships with heed)")
    .option("--data <file>", "the CSV file that it was trained on (default: the series that heed composes)")
    .option("--json", "one JSON object")
    .action(async (flags: Flags) => {
      const [{ loadForecaster }, { evaluate }, { readCorpus }] = await Promise.all([
        import("../tasks/forecasting/files.ts"),
        import("../tasks/forecasting/evaluate.ts"),
        import("../tasks/forecasting/corpus.ts"),
      ]);
      const forecaster = await loadForecaster(flags.model);
      try {
        const { recipe } = forecaster.card.training;
        const result = evaluate(
          forecaster,
          readCorpus("heed evaluate forecasting", flags.data ?? "", recipe),
        );
        if (flags.json) return await write(io.stdout, `${JSON.stringify(result)}\n`);
        const { windows, mse, baselineMse, persistenceMse, ratio, inputs, driversFirst } = result;
        const ranked = inputs.map(({ name, weight }) => `${name} ${weight.toFixed(3)}`).join(", ");
        const first =
          driversFirst === undefined ? "" : `; true drivers first: ${driversFirst ? "yes" : "no"}`;
        await write(
          io.stdout,
          `test: ${windows} windows, squared error ${mse.toFixed(4)}, without the gate ${baselineMse.toFixed(4)} ` +
            `(ratio ${ratio.toFixed(3)}), what was last ${persistenceMse.toFixed(4)}\n${ranked}${first}\n`,
        );
      } finally {
        forecaster.dispose();
      }
    });
}

/** `heed evaluate tracking`: digits of MNIST, or drawn ones. */
export function evaluateTracking(io: Io): Command {
  return new Command("tracking")
    .description("Follows digits that are hidden for three frames, with and without the prior on motion.")
    .option("--model <dir>", "folder of the model (default: the one that ships with heed)")
    .option("--data <dir>", "folder with the four files of MNIST (default: the data set of the model)")
    .option("--drawn", "digits that heed draws, which need no data")
    .option("--json", "one JSON object")
    .action(async (flags: Flags) => {
      const [{ loadTracker }, { evaluate }, { locateDigits, readCorpus }] = await Promise.all([
        import("../tasks/tracking/files.ts"),
        import("../tasks/tracking/evaluate.ts"),
        import("../tasks/tracking/corpus.ts"),
      ]);
      const tracker = await loadTracker(flags.model);
      try {
        const { data } = tracker.card;
        const place = flags.data === undefined ? {} : { dir: flags.data };
        const { test } = readCorpus(flags.drawn ? "" : locateDigits(data.name, place));
        const result = evaluate(tracker, test);
        if (flags.json) return await write(io.stdout, `${JSON.stringify(result)}\n`);
        const { videos, before, reappeared, recovery } = result;
        const line = (shares: readonly number[]) => {
          const [first, second, third] = shares.map(percent);
          return `followed before the digit is hidden ${first}, where it comes out ${second}, in the third frame after ${third}`;
        };
        const { baselineBefore, baselineReappeared, baselineRecovery } = result;
        const times = (share: number, baseline: number) =>
          baseline > 0 ? `${(share / baseline).toFixed(2)} times as often` : "the baseline never";
        const often = `; found again where it comes out ${times(reappeared, baselineReappeared)}, in the third frame after ${times(recovery, baselineRecovery)}`;
        await write(
          io.stdout,
          `test: ${videos} videos; ${line([before, reappeared, recovery])}\n` +
            `without the prior: ${line([baselineBefore, baselineReappeared, baselineRecovery])}${often}\n`,
        );
      } finally {
        tracker.dispose();
      }
    });
}
