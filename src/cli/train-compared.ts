import type { TrainTask } from "./train-task.ts";

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** Models that are trained beside the same model without the part that they are about. */
export const COMPARED_TASKS: readonly TrainTask[] = [
  {
    name: "formants",
    description: "Trains the gated classifier of vowels in noise, and the same without a gate.",
    data: "not read: the vowels are composed from the recipe's seed",
    folder: "runs/formants",
    help: `There is no data set: the vowels are composed.

  heed train formants --out my-model
  heed evaluate formants --model my-model`,
    card: "weights/formants/card.json",
    async load() {
      const [{ FORMANT_RECIPE }, { runFormants }] = await Promise.all([
        import("../tasks/formants/recipe.ts"),
        import("../tasks/formants/run.ts"),
      ]);
      return {
        recipe: FORMANT_RECIPE,
        async run(options) {
          const { evaluation } = await runFormants(options);
          const level = evaluation?.levels.find(({ snr }) => snr === 0);
          if (!level) return undefined;
          const { accuracy, baselineAccuracy } = level;
          return `test at 0 dB ${percent(accuracy)} right, ${percent(baselineAccuracy)} without the gate`;
        },
        locate: (_name, { dir }) => dir ?? "",
      };
    },
  },
  {
    name: "forecasting",
    description: "Trains the forecaster that selects its inputs, and the same without selection.",
    data: "a CSV file, or a folder with series.csv: names in the first row, the target last (default: composed)",
    folder: "runs/forecasting",
    help: `Without --data a series is composed. The recipe {"target": "NAME"}
names another column than the last one.

  heed train forecasting --data table.csv --out my-model
  heed gate series --model my-model table.csv`,
    card: "weights/forecasting/card.json",
    async load() {
      const [{ FORECASTING_RECIPE }, { runForecasting }] = await Promise.all([
        import("../tasks/forecasting/recipe.ts"),
        import("../tasks/forecasting/run.ts"),
      ]);
      return {
        recipe: FORECASTING_RECIPE,
        async run(options) {
          const { evaluation } = await runForecasting(options);
          if (!evaluation) return undefined;
          const { mse, baselineMse, ratio } = evaluation;
          return `test squared error ${mse.toFixed(4)}, without the gate ${baselineMse.toFixed(4)}, ratio ${ratio.toFixed(3)}`;
        },
        locate: (_name, { dir }) => dir ?? "",
      };
    },
  },
  {
    name: "tracking",
    description: "Trains the tracker of moving digits, and the same without the prior on motion.",
    data: "folder with the four files of MNIST (default: where the data set is)",
    folder: "runs/tracking",
    help: `The recipe {"data": "drawn-digits"} needs no data set: heed draws the digits.

  heed train tracking --data mnist --out my-model
  heed evaluate tracking --model my-model`,
    card: "weights/tracking/card.json",
    async load() {
      const [{ TRACKING_RECIPE }, { runTracking }, { locateDigits }] = await Promise.all([
        import("../tasks/tracking/recipe.ts"),
        import("../tasks/tracking/run.ts"),
        import("../tasks/tracking/corpus.ts"),
      ]);
      return {
        recipe: TRACKING_RECIPE,
        async run(options) {
          const { evaluation } = await runTracking(options);
          if (!evaluation) return undefined;
          const { recovery, baselineRecovery } = evaluation;
          return `test ${percent(recovery)} found again, ${percent(baselineRecovery)} without the prior`;
        },
        locate: locateDigits,
      };
    },
  },
];
