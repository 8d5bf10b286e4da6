import { Command } from "commander";
import type { Translator } from "../tasks/translation/load.ts";
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
  links?: string;
  list?: string;
  json?: boolean;
}

const HELP = `
With --spans, --links or --list the split is left alone. The first counts how many numbers and names of a file's
sentences come through (English, then columns for fr, de and es, with | between what must be there), the second how
many look at what they stand for (English, then columns of start-end=fr|de|es). The third prints what becomes of each
line of a file, with the figure of confidence where the model has one.
`;

/** `heed evaluate translation`: the figures of a model's card, made again. */
export function evaluateTranslation(io: Io): Command {
  return new Command("translation")
    .description("Translates a split and scores it as sacreBLEU does.")
    .option("--model <dir>", "folder of the model, or the name of one that ships (default: translation-en)")
    .option("--to <language>", TO, oneOf(NAME, "--to", TARGET_LANGUAGES))
    .option("--data <dir>", "folder with the splits (default: the fetched data set)")
    .option("--split <name>", "test or valid", oneOf(NAME, "--split", SPLITS), "test")
    .option("--beam <n>", "candidates kept at each word", wholeNumber(NAME, "--beam", 1, 64, "try --beam 5"))
    .option("--spans <file>", "sentences with what must come through")
    .option("--links <file>", "sentences with numbers and names that are linked by hand")
    .option("--list <file>", "sentences to print the translations of, after the last tab of each line")
    .option("--json", "one JSON object")
    .addHelpText("after", HELP)
    .action((flags: Flags) => score(flags, io));
}

async function score(flags: Flags, io: Io): Promise<void> {
  const { loadTranslator } = await import("../tasks/translation/load.ts");
  const translator = await loadTranslator(flags.model, flags.to);
  const options = flags.beam ? { beam: flags.beam } : {};
  const scoreIt = flags.spans ? scoreSpans : flags.links ? scoreLinks : flags.list ? list : scoreSplit;
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

async function scoreSplit(translator: Translator, flags: Flags, options: TranslateOptions): Promise<Scored> {
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
  translator: Translator,
  { spans: file }: Flags,
  options: TranslateOptions,
): Promise<Scored> {
  const { evaluateSpans, readSpanCases } = await import("../tasks/translation/spans.ts");
  const result = evaluateSpans(translator, readSpanCases(file!, languageOf(translator)), options);
  const { spans, through, failures } = result;
  const lines = failures.map(
    ({ source, target, missing }) => `${source}\n  ${target}\n  without ${missing.join(", ")}\n`,
  );
  return { result, text: `${lines.join("")}${shareOf(through, spans)} numbers and names through\n` };
}

async function scoreLinks(
  translator: Translator,
  { links: file }: Flags,
  options: TranslateOptions,
): Promise<Scored> {
  const { evaluateLinks, readLinkCases } = await import("../tasks/translation/links.ts");
  const result = evaluateLinks(translator, readLinkCases(file!, languageOf(translator)), options);
  const { links, right, failures } = result;
  const lines = failures.map(
    ({ source, target, value, looked }) =>
      `${source}\n  ${target}\n  ${value} ${looked === null ? "is missing" : `looked at ${looked}`}\n`,
  );
  return { result, text: `${lines.join("")}${shareOf(right, links)} numbers and names look at their own\n` };
}

/** The column of a file of cases that is for a translator. */
const languageOf = ({ card: { to } }: Translator): TargetLanguage => (isTargetLanguage(to) ? to : "fr");

const shareOf = (some: number, all: number): string =>
  `${some} of ${all} (${((100 * some) / Math.max(1, all)).toFixed(1)} %)`;

async function list(
  translator: Translator,
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
