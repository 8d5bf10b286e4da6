import { Command } from "commander";
import { oneOf, wholeNumber } from "./flags.ts";
import { type Io, write } from "./io.ts";

const NAME = "heed evaluate summarization";
const SPLITS = ["test", "valid"] as const;

interface Flags {
  model?: string;
  data?: string;
  split: (typeof SPLITS)[number];
  beam?: number;
  /** False with `--no-coverage`. */
  coverage?: boolean;
  /** False with `--no-pointing`. */
  pointing?: boolean;
  blockTrigrams?: boolean;
  json?: boolean;
}

const HELP = `
Beside the model stand the first words of each text (as many as scored best on the validation split), the whole text, and
where every text has several references what people wrote, each against the others.
`;

/** `heed evaluate summarization`: the figures of a model's card, made again. */
export function evaluateSummarization(io: Io): Command {
  return new Command("summarization")
    .description("Sums up a split and scores it with ROUGE, beside baselines.")
    .option(
      "--model <dir>",
      "folder of the model, or the name of one that ships (default: summarization-arxiv)",
    )
    .option("--data <dir>", "folder with the splits (default: the data set's, where it is)")
    .option("--split <name>", "test or valid", oneOf(NAME, "--split", SPLITS), "test")
    .option("--beam <n>", "candidates kept at each word", wholeNumber(NAME, "--beam", 1, 64, "try --beam 4"))
    .option("--no-coverage", "the score does not read the coverage")
    .option("--no-pointing", "no word is copied: p_gen is 1")
    .option("--block-trigrams", "no three words in a row come twice")
    .option("--json", "one JSON object")
    .addHelpText("after", HELP)
    .action((flags: Flags) => score(flags, io));
}

async function score(flags: Flags, io: Io): Promise<void> {
  const [{ loadSummarizer }, { evaluate }, { readSummaries, locateSummaries }] = await Promise.all([
    import("../tasks/summarization/files.ts"),
    import("../tasks/summarization/evaluate.ts"),
    import("../tasks/summarization/corpus.ts"),
  ]);
  const { data, split, beam, coverage, pointing, blockTrigrams } = flags;
  const summarizer = await loadSummarizer(flags.model);
  try {
    const { kind } = summarizer.card.training.recipe;
    const folder = locateSummaries(summarizer.card.data.name, split, kind, data);
    const { leadWords } = summarizer.card.decoding;
    const result = evaluate(summarizer, readSummaries(folder, split, kind), {
      leadWords,
      ...(beam !== undefined && { beam }),
      ...(coverage === false && { coverage }),
      ...(pointing === false && { pointing }),
      ...(blockTrigrams && { blockTrigrams }),
    });
    if (flags.json) return await write(io.stdout, `${JSON.stringify(result)}\n`);
    await write(io.stdout, table(split, result));
  } finally {
    summarizer.dispose();
  }
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

type Result = ReturnType<typeof import("../tasks/summarization/evaluate.ts").evaluate>;

function table(split: string, result: Result): string {
  const { sources, lead, copy, people, words, repeats, copied, chosen, pointed, seconds, signature } = result;
  const row = (name: string, { rouge1, rouge2, rougeL }: Pick<Result, "rouge1" | "rouge2" | "rougeL">) =>
    `${name}: ROUGE-1 ${rouge1.toFixed(2)}, -2 ${rouge2.toFixed(2)}, -L ${rougeL.toFixed(2)}`;
  const lengths = [words.text, words.summary, words.reference].map((mean) => mean.toFixed(1));
  const lines = [
    `${row(split, result)}; ${sources} texts in ${seconds.toFixed(1)} s`,
    row(`first ${lead.words} words`, lead),
    row("whole text", copy),
    ...(people ? [row("people", people)] : []),
    `words: ${lengths[0]} of a text, ${lengths[1]} of a summary, ${lengths[2]} of a reference`,
    `repeated trigrams: ${(100 * repeats).toFixed(2)} %`,
    `words outside of the vocabulary: ${percent(copied.share)} of the ${copied.words} that text and references share come through ` +
      `(${percent(chosen.byRepetition)} with as many of the most repeated ones)`,
    `of all ${chosen.offered} that the texts have ${percent(chosen.due)} are in the references; the summaries have ${chosen.chosen}, ${percent(chosen.right)} of them right`,
    `given the reference so far: ${percent(pointed.share)} of ${pointed.words} such words are copied where they stand, ` +
      `${percent(pointed.amongOwn)} where one of the text's is due (${percent(pointed.byLot)} by lot)`,
    signature,
  ];
  return `${lines.join("\n")}\n`;
}
