import { Command } from "commander";
import { FileWork } from "./file-work.ts";
import { wholeNumber } from "./flags.ts";
import type { Io } from "./io.ts";

/** From here on a band is called open. */
const OPEN = 0.5;

interface Flags {
  model?: string;
  target?: string;
  seed: number;
  json?: boolean;
  svg?: string;
  html?: string;
  trace?: string;
}

const HELP_FORMANTS = `
Sounds are WAV files with one channel, PCM of 8, 16, 24 or 32 bits or floats, at any rate; ffmpeg -i SOUND -ac 1 -c:a pcm_s16le sound.wav makes one.
The model knows one steady vowel of American English in noise, and says one of its ten of whatever it hears. Without a
file an example is composed; --seed chooses another one.

  heed gate formants vowel.wav
  heed gate formants --json a.wav b.wav > vowels.jsonl
  heed gate formants --svg bands.svg vowel.wav
`;

const HELP_SERIES = `
A table is a CSV file: names in the first row, then one row for each time, the earliest first. It must have the columns of
the model; the one that ships knows those of the composed example alone. Train one on your table:

  heed train forecasting --data table.csv --out my-model
  heed gate series --model my-model table.csv
  heed gate series --svg inputs.svg
`;

/** `heed gate formants|series [files…]`: what gates let through of sounds and of the inputs of series. */
export function gateCommand(io: Io): Command {
  return new Command("gate")
    .description("Shows what gates let through: bands of a sound, inputs of a series.")
    .addCommand(
      sharedFlags("formants", "WAV files with one channel")
        .description("Says which vowel is spoken in noise, and which bands say so.")
        .addHelpText("after", HELP_FORMANTS)
        .action((files: string[], flags: Flags) => formants(files, flags, io)),
    )
    .addCommand(
      sharedFlags("series", "CSV files with the columns of the model")
        .description("Forecasts a series, and says which of its inputs are read.")
        .option("--target <name>", "the column that is forecast (default: the model's)")
        .addHelpText("after", HELP_SERIES)
        .action((files: string[], flags: Flags) => series(files, flags, io)),
    );
}

function sharedFlags(name: string, files: string): Command {
  const command = `heed gate ${name}`;
  return new Command(name)
    .argument("[files...]", `${files}; an example where there are none`)
    .option("--model <dir>", "folder of the model (default: the one that ships with heed)")
    .option(
      "--seed <n>",
      "chooses the example",
      wholeNumber(command, "--seed", 0, 2 ** 24 - 1, "try --seed 2"),
      7,
    )
    .option("--json", "one object a line")
    .option("--svg <file>", "also draw the gates; several files go to file-1.svg, …")
    .option("--html <file>", "also write them, with the attention over time, as a page to click through")
    .option("--trace <file>", "also write that for heed show, svg, png and html");
}

async function formants(files: string[], flags: Flags, io: Io): Promise<void> {
  const name = "heed gate formants";
  const work = new FileWork(name, flags, io);
  const [{ loadVowelClassifier }, { drawBands }, { readWav }, { exampleClip }] = await Promise.all([
    import("../tasks/formants/files.ts"),
    import("../tasks/formants/draw.ts"),
    import("../data/wav.ts"),
    import("../tasks/formants/compose.ts"),
  ]);
  const classifier = await loadVowelClassifier(flags.model);
  const answer = (file: string | undefined) =>
    work.take(file, () => {
      const sound = file === undefined ? exampleClip(flags.seed) : readWav(file);
      const heard = classifier.hear(sound);
      const open = heard.bands.filter(({ gate }) => gate >= OPEN);
      const bands = open.map(({ hertz }) => `${Math.round(hertz)} Hz`).join(", ");
      return {
        object: heard,
        text: `${heard.vowel}, as in ${heard.word} (${Math.round(100 * heard.probability)} %); open ${bands || "no band by half"}`,
        drawings: { svg: () => drawBands(heard), trace: () => classifier.look(sound) },
      };
    });
  try {
    for (const file of files) await answer(file);
    if (files.length === 0) {
      const { vowel } = exampleClip(flags.seed);
      io.stderr.write(`${name}: no sound was given; this one is an example, ${vowel} in noise at 0 dB\n`);
      await answer(undefined);
    }
  } finally {
    classifier.dispose();
  }
  work.finish();
}

async function series(files: string[], flags: Flags, io: Io): Promise<void> {
  const name = "heed gate series";
  const work = new FileWork(name, flags, io);
  const [{ loadForecaster }, { drawInputs }, { readSeries }, { exampleSeries }] = await Promise.all([
    import("../tasks/forecasting/files.ts"),
    import("../tasks/forecasting/draw.ts"),
    import("../tasks/forecasting/csv.ts"),
    import("../tasks/forecasting/series.ts"),
  ]);
  const forecaster = await loadForecaster(flags.model);
  const answer = (file: string | undefined) =>
    work.take(file, () => {
      const target = flags.target ?? forecaster.card.inputs.names.at(-1)!;
      const table = file === undefined ? exampleSeries(flags.seed) : readSeries(file, target);
      const forecast = forecaster.forecast(table);
      const shares = forecast.inputs.slice(0, 5).map((one) => `${one.name} ${one.weight.toFixed(2)}`);
      return {
        object: forecast,
        text: `next ${forecast.target} ${Number(forecast.value.toPrecision(4))}; reads ${shares.join(", ")}`,
        drawings: { svg: () => drawInputs(forecast), trace: () => forecaster.look(table) },
      };
    });
  try {
    for (const file of files) await answer(file);
    if (files.length === 0) {
      io.stderr.write(`${name}: no table was given; this series is an example\n`);
      await answer(undefined);
    }
  } finally {
    forecaster.dispose();
  }
  work.finish();
}
