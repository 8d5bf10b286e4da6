import { Command } from "commander";
import type { AnyTranslator } from "../tasks/translation/load.ts";
import {
  isTargetLanguage,
  TARGET_LANGUAGES,
  type TargetLanguage,
} from "../tasks/translation/text/language.ts";
import type { TranslateOptions } from "../tasks/translation/translation.ts";
import { oneOf, wholeNumber } from "./flags.ts";
import { type Io, write } from "./io.ts";
import { TO } from "./translate.ts";

const NAME = "heed evaluate translation";
const SPLITS = ["test", "valid"] as const;

interface Flags {
  model?: string;
  to?: TargetLanguage;
  data?: string;
  split: (typeof SPLITS)[number];
  beam?: number;
  spans?: string;
  list?: string;
  json?: boolean;
}

const HELP = `
With --spans or --list the split is left alone: the first counts how many numbers and names of a file's sentences
come through (English, then columns for fr, de and es, with | between what must be there), the second prints what
becomes of each line of a file, with the figure of confidence where the model has one.
`;

/** `heed evaluate translation`: the figures of a model's card, made again. */
export function evaluateTranslation(io: Io): Command {
  return new Command("translation")
    .description("Translates a split and scores it as sacreBLEU does.")
    .option("--model <dir>", "folder of the model (default: the one that ships with heed)")
    .option("--to <language>", TO, oneOf(NAME, "--to", TARGET_LANGUAGES))
    .option("--data <dir>", "folder with the splits (default: the fetched data set)")
    .option("--split <name>", "test or valid", oneOf(NAME, "--split", SPLITS), "test")
    .option("--beam <n>", "candidates kept at each word", wholeNumber(NAME, "--beam", 1, 64, "try --beam 5"))
    .option("--spans <file>", "sentences with what must come through")
    .option("--list <file>", "sentences to print the translations of, after the last tab of each line")
    .option("--json", "one JSON object")
    .addHelpText("after", HELP)
    .action((flags: Flags) => score(flags, io));
}

async function score(flags: Flags, io: Io): Promise<void> {
  const { loadAnyTranslator } = await import("../tasks/translation/load.ts");
  const translator = await loadAnyTranslator(flags.model, flags.to);
  const options = flags.beam ? { beam: flags.beam } : {};
  const scoreIt = flags.spans ? scoreSpans : flags.list ? list : scoreSplit;
  try {
    const { result, text } = await scoreIt(translator, flags, options);
    await write(io.stdout, flags.json ? `${JSON.stringify(result)}\n` : text);
  } finally {
    translator.dispose();
  }
}

/** A result as an object, and in words. */
interface Scored {
  result: unknown;
  text: string;
}

async function scoreSplit(
  translator: AnyTranslator,
  flags: Flags,
  options: TranslateOptions,
): Promise<Scored> {
  const { locateDataset } = await import("../data/locate.ts");
  const { readReferenced } = await import("../tasks/translation/corpus.ts");
  const { evaluate } = await import("../tasks/translation/evaluate.ts");
  const folder = locateDataset(translator.dataset, flags.data ? { dir: flags.data } : {});
  const result = evaluate(translator, readReferenced(folder, flags.split), options);
  const { sources, bleu, chrf, exact, seconds, signatures } = result;
  const scores = `BLEU ${bleu.toFixed(2)}, chrF ${chrf.toFixed(2)}, exact ${(100 * exact).toFixed(1)} %`;
  const speed = `${sources} sentences in ${seconds.toFixed(1)} s`;
  return { result, text: `${flags.split}: ${scores}; ${speed}\n${signatures.join("\n")}\n` };
}

async function scoreSpans(
  translator: AnyTranslator,
  { spans: file }: Flags,
  options: TranslateOptions,
): Promise<Scored> {
  const { evaluateSpans, readSpanCases } = await import("../tasks/translation/spans.ts");
  const { to } = translator.card;
  const result = evaluateSpans(translator, readSpanCases(file!, isTargetLanguage(to) ? to : "fr"), options);
  const { spans, through, failures } = result;
  const lines = failures.map(
    ({ source, target, missing }) => `${source}\n  ${target}\n  without ${missing.join(", ")}\n`,
  );
  const share = ((100 * through) / Math.max(1, spans)).toFixed(1);
  return { result, text: `${lines.join("")}${through} of ${spans} numbers and names through, ${share} %\n` };
}

async function list(
  translator: AnyTranslator,
  { list: file }: Flags,
  options: TranslateOptions,
): Promise<Scored> {
  const { contentLines } = await import("../tasks/translation/spans.ts");
  const sources = contentLines(NAME, file!).map(({ text }) => text.slice(text.lastIndexOf("\t") + 1));
  const result = translator.translate(sources, { ...options, weights: false });
  const lines = result.map(({ source, target, confidence }) => {
    const figure = confidence === undefined ? "" : `  ${confidence.toFixed(2)}`;
    return `${source}\n  ${target}${figure}\n`;
  });
  return { result, text: lines.join("") };
}
