import { Command, Option } from "commander";
import type { Summarizer, Summary } from "../tasks/summarization/summarizer.ts";
import { isWord } from "../tasks/words.ts";
import { finishRun } from "./finish-run.ts";
import { checkOnePlace, oneOf, wholeNumber } from "./flags.ts";
import { type Io, write } from "./io.ts";
import { LineInput } from "./line-input.ts";
import { type Drawings, OutputFiles, pageWithFigures } from "./output-files.ts";
import { remarksOn, showSummary } from "./summary-output.ts";
import { COLORS, FORMATS, type Look, type LookOptions, look } from "./translation-output.ts";

const NAME = "heed summarize";
/** Texts summed up together: a batch of the model, so that progress is seen. */
const LINES_PER_BATCH = 16;
const MAX_BEAM = 64;
const MAX_LENGTH = 4096;

interface Flags extends LookOptions {
  input?: string;
  beam?: number;
  nBest?: number;
  maxLength?: number;
  blockTrigrams?: boolean;
  model?: string;
  svg?: string;
  html?: string;
  trace?: string;
}

/** How to get a summarizer; tests hand in a small one. */
export type LoadSummarizer = (
  folder: string | undefined,
) => Promise<Pick<Summarizer, "summarize" | "dispose">>;

const loadFromFolder: LoadSummarizer = async (folder) => {
  const { loadSummarizer } = await import("../tasks/summarization/files.ts");
  return loadSummarizer(folder);
};

const HELP = `
Each argument is one text: quote it. Without any, texts are read from standard input, one a line. A text without a word is
named on standard error, leaves an empty line, and makes the exit code 2. Of a long text the beginning is read; how much is
said. In a terminal a heat map follows, of where each word looked, with its p_gen (1 written, 0 copied) and the coverage;
elsewhere the same in numbers, indented; --no-map leaves the summaries alone, one a line.

  heed summarize "We present a parser that learns from raw text. It needs no treebank and runs in linear time."
  heed summarize --no-map --input abstracts.txt > titles.txt
  heed summarize --model summarization-wiki "The town, which is small, lies on the northern bank of the river."
  heed summarize --svg title.svg --html title.html --input abstract.txt
`;

/** `heed summarize [texts…]`: a short line for each text, and how each of its words came about. */
export function summarizeCommand(io: Io, load: LoadSummarizer = loadFromFolder): Command {
  return new Command("summarize")
    .description("Sums up texts and shows which words were copied, and from where.")
    .argument("[texts...]", "texts; standard input, one a line, when there are none")
    .option("--input <file>", "reads texts from a file, one a line")
    .option(
      "--beam <n>",
      `candidates kept at each word, 1 to ${MAX_BEAM}; 1 is the fastest`,
      wholeNumber(NAME, "--beam", 1, MAX_BEAM, "try --beam 4"),
    )
    .option(
      "--n-best <n>",
      "also the next best summaries, so many in all",
      wholeNumber(NAME, "--n-best", 1, MAX_BEAM, "try --n-best 3"),
    )
    .option(
      "--max-length <n>",
      "the most tokens of a summary",
      wholeNumber(NAME, "--max-length", 1, MAX_LENGTH, "try --max-length 12"),
    )
    .option("--block-trigrams", "no three words in a row come twice in a summary")
    .option(
      "--model <dir>",
      "folder of the weights and their card, or the name of a model that ships (default: summarization-arxiv)",
    )
    .option("--svg <file>", "also draw that as a heat map; several texts go to file-1.svg, file-2.svg, …")
    .option("--html <file>", "also write that as a page to click through, without a network")
    .option("--trace <file>", "also write that for heed show, svg, png and html")
    .addOption(
      new Option("--format <format>", "map, text (numbers), plain (summaries only) or json")
        .argParser(oneOf(NAME, "--format", FORMATS))
        .conflicts(["json", "map"]),
    )
    .addOption(
      new Option(
        "--json",
        "one object a line: source, target, sourceTokens, outside, targetTokens, weights, generate, coverage, repeated, " +
          "score, cut; alternatives where there are some; error where there is no word",
      ).conflicts(["map"]),
    )
    .option("--no-map", "the summaries only, one a line")
    .option("--color <when>", "always, never or auto", oneOf(NAME, "--color", COLORS))
    .addHelpText("after", HELP)
    .action((texts: string[], flags: Flags) => summarizeTexts(texts, flags, io, load));
}

async function summarizeTexts(texts: string[], flags: Flags, io: Io, load: LoadSummarizer): Promise<void> {
  const { input: file, model, beam, nBest, maxLength, blockTrigrams } = flags;
  checkOnePlace(NAME, "texts", texts, file);
  // Everything that can be wrong with the command line is found before the model is loaded.
  const files = new OutputFiles(NAME, flags);
  const appearance = look(flags, io);
  const input = new LineInput(NAME, io, texts, {
    file,
    prompt: "Type or paste a text as one line and press Enter; Ctrl-D ends.",
  });
  const summarizer = await load(model);
  const options = {
    ...(beam !== undefined && { beam }),
    ...(nBest !== undefined && { nBest }),
    ...(maxLength !== undefined && { maxLength }),
    ...(blockTrigrams && { blockTrigrams }),
  };
  const answer = new Answers(appearance, files, io, texts.length > 0 ? "text" : "line");
  try {
    for await (const lines of input.batches(LINES_PER_BATCH)) {
      for (const summary of summarizer.summarize(lines, options)) await answer.give(summary);
    }
  } finally {
    summarizer.dispose();
  }
  input.finish("texts");
  files.finish(io);
  const { count, failures, noun } = answer;
  finishRun({ name: NAME, io, count, failures, noun });
}

/** A run over many texts: one without a word is said, and the others go on. */
class Answers {
  count = 0;
  failures = 0;
  readonly #look: Look;
  readonly #files: OutputFiles;
  readonly #io: Io;
  readonly noun: "text" | "line";

  constructor(appearance: Look, files: OutputFiles, io: Io, noun: "text" | "line") {
    this.#look = appearance;
    this.#files = files;
    this.#io = io;
    this.noun = noun;
  }

  async give(summary: Summary): Promise<void> {
    const { stdout, stderr } = this.#io;
    const place = `${NAME}: ${this.noun} ${++this.count}`;
    const { format } = this.#look;
    if (!summary.sourceTokens.some(isWord)) {
      this.failures++;
      const error = "has no word to sum up";
      stderr.write(`${place} ${error}\n`);
      const { source } = summary;
      await write(stdout, format === "json" ? `${JSON.stringify({ source, target: null, error })}\n` : "\n");
      return this.#files.add(undefined);
    }
    // Beside the other formats these are part of what is printed.
    if (format === "plain") for (const remark of remarksOn(summary)) stderr.write(`${place}: ${remark}\n`);
    await write(stdout, showSummary(summary, this.#look));
    await this.#files.add(drawingsOf(summary));
  }
}

/** How the files of a summary are made. What draws is loaded by those who ask for it, and draws once. */
function drawingsOf(summary: Summary): Drawings {
  let drawn: Promise<{ caption: string; svg: string }> | undefined;
  const draw = () => {
    drawn ??= import("../tasks/summarization/draw.ts").then(({ drawSummary, DRAWN }) => ({
      caption: DRAWN,
      svg: drawSummary(summary)!,
    }));
    return drawn;
  };
  return {
    svg: async () => (await draw()).svg,
    trace: async () => (await import("../tasks/summarization/trace.ts")).summaryTrace(summary),
    async page(trace) {
      const { figures = [] } = await pageWithFigures(trace);
      return { title: summary.target, figures: [await draw(), ...figures] };
    },
  };
}
