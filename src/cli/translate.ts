import { Command, Option } from "commander";
import type { Translator } from "../tasks/translation/load.ts";
import { TARGET_LANGUAGES, type TargetLanguage } from "../tasks/translation/text/language.ts";
import type { Translation } from "../tasks/translation/translation.ts";
import { oneOf, wholeNumber } from "./flags.ts";
import { type Io, write } from "./io.ts";
import { LineInput } from "./line-input.ts";
import { PictureFiles } from "./pictures.ts";
import { axesOf, COLORS, drawing, FORMATS, type LookOptions, look, show } from "./translation-output.ts";

const NAME = "heed translate";
/** Lines translated together: enough for full batches of sentences of one length, few enough to see progress. */
const LINES_PER_BATCH = 128;
const MAX_BEAM = 64;

interface Flags extends LookOptions {
  beam?: number;
  nBest?: number;
  model?: string;
  to?: TargetLanguage;
  svg?: string;
  trace?: string;
}

/** What `--to` is for. */
export const TO = `${TARGET_LANGUAGES.join(", ")} (default: the model's language, or the first of them)`;

/** How to get a translator; tests hand in one without weights. */
export type LoadTranslator = (
  folder: string | undefined,
  to: TargetLanguage | undefined,
) => Promise<Pick<Translator, "translate" | "dispose" | "card">>;

export const loadFromFolder: LoadTranslator = async (folder, to) => {
  const { loadTranslator } = await import("../tasks/translation/load.ts");
  return loadTranslator(folder, to);
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
    .option("--trace <file>", "also write what each word looked at, for heed show, svg and png")
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
  const pictures = flags.svg === undefined ? undefined : new PictureFiles(flags.svg, NAME);
  const traces = flags.trace === undefined ? undefined : new PictureFiles(flags.trace, NAME, "trace");
  const appearance = look(flags, io);
  const input = new LineInput(NAME, io, texts, {
    prompt: "Type a sentence in English and press Enter; Ctrl-D ends.",
  });

  const translator = await load(flags.model, flags.to);
  const axes = axesOf(translator.card);
  const { beam, nBest } = flags;
  // Where the translations alone are printed, nobody sees what they looked at.
  const isShown = appearance.format !== "plain" || pictures !== undefined || traces !== undefined;
  const options = {
    ...(beam !== undefined && { beam }),
    ...(nBest !== undefined && { nBest }),
    ...(!isShown && { weights: false }),
  };
  try {
    for await (const lines of input.batches(LINES_PER_BATCH)) {
      const translations = translator.translate(lines, options);
      await write(io.stdout, translations.map((translation) => show(translation, appearance, axes)).join(""));
      for (const translation of translations) {
        pictures?.add(drawing(translation, axes));
        if (traces) traces.add(await traceBytes(translation));
      }
    }
  } finally {
    translator.dispose();
  }
  input.finish("sentences");
  const drawn = pictures?.finish();
  if (drawn) io.stderr.write(`${NAME}: drew ${drawn}\n`);
  const written = traces?.finish();
  if (written) io.stderr.write(`${NAME}: wrote ${written}\n`);
}

/** The file of a translation's trace. What makes it is loaded by those who ask for one. */
async function traceBytes(translation: Translation): Promise<Uint8Array | undefined> {
  const { translationTrace } = await import("../tasks/translation/trace.ts");
  const { writeTrace } = await import("../inspect/index.ts");
  const trace = translationTrace(translation);
  return trace && writeTrace(trace);
}
