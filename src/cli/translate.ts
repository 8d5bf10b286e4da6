import { Command, Option } from "commander";
import type { WorkerModel } from "../tasks/translation/batches.ts";
import type { Translator } from "../tasks/translation/load.ts";
import { TARGET_LANGUAGES, type TargetLanguage } from "../tasks/translation/text/language.ts";
import type { Translation } from "../tasks/translation/translation.ts";
import { oneOf, wholeNumber } from "./flags.ts";
import { type Io, write } from "./io.ts";
import { LineInput } from "./line-input.ts";
import { type Drawings, OutputFiles } from "./output-files.ts";
import {
  type Axes,
  axesOf,
  COLORS,
  drawing,
  FORMATS,
  type LookOptions,
  look,
  show,
} from "./translation-output.ts";

const NAME = "heed translate";
/** Lines translated together: a full batch of the model, few enough to see progress and to keep all threads at work. */
const LINES_PER_BATCH = 64;
const MAX_BEAM = 64;
const MAX_THREADS = 256;

interface Flags extends LookOptions {
  beam?: number;
  nBest?: number;
  model?: string;
  to?: TargetLanguage;
  svg?: string;
  html?: string;
  trace?: string;
  threads?: number;
}

/** What `--to` is for. */
export const TO = `${TARGET_LANGUAGES.join(", ")} (default: the model's language, or the first of them)`;

/** How to get a translator; tests hand in one without weights. */
export type LoadTranslator = (
  folder: string | undefined,
  to: TargetLanguage | undefined,
) => Promise<Pick<Translator, "translate" | "dispose" | "card"> & { model?: WorkerModel }>;

export const loadFromFolder: LoadTranslator = async (folder, to) => {
  const { loadTranslator } = await import("../tasks/translation/load.ts");
  return Object.assign(await loadTranslator(folder, to), { model: { folder, to } });
};

const HELP = `
Each argument is one sentence: quote it. Without any, sentences are read from standard input, one a line;
an empty line gives an empty line. In a terminal each translation is followed by the heat map of its
alignment; elsewhere by its summary, indented; --no-map leaves the translations alone, one a line.

  heed translate "I am tired."
  heed translate --to de "I am tired."                    # or es; fr is the default
  heed translate --model translation-en-fr "I am tired."  # the recurrent model
  heed translate --no-map < english.txt > french.txt
  heed translate --svg tired.svg "I am tired."
  heed translate --trace tired.attn "I am tired."   # then: heed show tired.attn
`;

/** `heed translate [text…]`: English in, another language out, and what each of its words looked at. */
export function translateCommand(io: Io, load: LoadTranslator = loadFromFolder): Command {
  return new Command("translate")
    .description("Translates English and shows what each word looked at.")
    .argument("[text...]", "sentences; standard input, one a line, when there are none")
    .option(
      "--beam <n>",
      `candidates kept at each word, 1 to ${MAX_BEAM}; 1 is the fastest`,
      wholeNumber(NAME, "--beam", 1, MAX_BEAM, "try --beam 5"),
    )
    .option("--to <language>", TO, oneOf(NAME, "--to", TARGET_LANGUAGES))
    .option(
      "--n-best <n>",
      "also the next best translations, so many in all",
      wholeNumber(NAME, "--n-best", 1, MAX_BEAM, "try --n-best 3"),
    )
    .option(
      "--model <dir>",
      "folder of the weights and their card, or the name of a model that ships (default: translation-en)",
    )
    .option("--svg <file>", "also draw the heat map; several sentences go to file-1.svg, file-2.svg, …")
    .option(
      "--html <file>",
      "also write what each word looked at as a page to click through, without a network",
    )
    .option("--trace <file>", "also write that for heed show, svg, png and html")
    .option(
      "--threads <n>",
      "threads that share many lines (default: the cores of the machine, at most 4)",
      wholeNumber(NAME, "--threads", 1, MAX_THREADS, "try --threads 2"),
    )
    .addOption(
      new Option("--format <format>", "map, text (a summary), plain (translations only) or json")
        .argParser(oneOf(NAME, "--format", FORMATS))
        .conflicts(["json", "map"]),
    )
    .addOption(
      new Option(
        "--json",
        "one object a line: source, target, sourceTokens, targetTokens, weights, score; confidence, values, notes, doubts " +
          "and alternatives where there are some",
      ).conflicts(["map"]),
    )
    .option("--no-map", "the translations only, one a line")
    .option("--color <when>", "always, never or auto", oneOf(NAME, "--color", COLORS))
    .addHelpText("after", HELP)
    .action((texts: string[], flags: Flags) => translateText(texts, flags, io, load));
}

async function translateText(texts: string[], flags: Flags, io: Io, load: LoadTranslator): Promise<void> {
  // Everything that can be wrong with the command line is found before the model is loaded.
  const files = new OutputFiles(NAME, flags);
  const appearance = look(flags, io);
  const input = new LineInput(NAME, io, texts, {
    prompt: "Type a sentence in English and press Enter; Ctrl-D ends.",
  });

  const translator = await load(flags.model, flags.to);
  const axes = axesOf(translator.card);
  const { beam, nBest, threads } = flags;
  // Where the translations alone are printed, nobody sees what they looked at.
  const { svg, html, trace } = flags;
  const isShown = appearance.format !== "plain" || [svg, html, trace].some((file) => file !== undefined);
  const options = {
    ...(beam !== undefined && { beam }),
    ...(nBest !== undefined && { nBest }),
    ...(!isShown && { weights: false }),
  };
  const { translateBatches } = await import("../tasks/translation/batches.ts");
  const batches = translateBatches(translator, input.batches(LINES_PER_BATCH), {
    ...{ options, model: translator.model, full: LINES_PER_BATCH },
    ...(threads !== undefined && { threads }),
  });
  try {
    for await (const translations of batches) {
      await write(io.stdout, translations.map((translation) => show(translation, appearance, axes)).join(""));
      for (const translation of translations) await files.add(drawingsOf(translation, axes));
    }
  } finally {
    translator.dispose();
  }
  input.finish("sentences");
  files.finish(io);
}

/** How the files of a translation are made. What makes traces and pages is loaded by those who ask for one. */
const drawingsOf = (translation: Translation, axes: Axes): Drawings => ({
  svg: () => drawing(translation, axes),
  trace: async () => (await import("../tasks/translation/trace.ts")).translationTrace(translation),
  page: () => ({ title: `${translation.source} → ${translation.target}` }),
});
