import { Command } from "commander";
import type { Evaluation } from "../tasks/visual-questions/evaluate.ts";
import { oneOf } from "./flags.ts";
import { type Io, write } from "./io.ts";

const NAME = "heed evaluate visual-questions";
const SPLITS = ["test", "valid"] as const;

interface Flags {
  model?: string;
  data?: string;
  split: (typeof SPLITS)[number];
  json?: boolean;
}

/** `heed evaluate visual-questions`: the figures of a model's card, made again. */
export function evaluateVisualQuestions(io: Io): Command {
  return new Command("visual-questions")
    .description("Answers the questions of a split and counts what is right, beside the commonest answers.")
    .option("--model <dir>", "name or folder of the model (default: visual-questions, which ships with heed)")
    .option(
      "--data <dir>",
      "folder with the four files of MNIST or one of its kin, or with pictures and questions (default: the fetched data set)",
    )
    .option("--split <name>", "test or valid", oneOf(NAME, "--split", SPLITS), "test")
    .option("--json", "one JSON object")
    .action((flags: Flags) => score(flags, io));
}

async function score(flags: Flags, io: Io): Promise<void> {
  const [{ loadAnswerer }, { evaluate }, { locateQuestions, readCorpus }, { majorityOf }] = await Promise.all(
    [
      import("../tasks/visual-questions/files.ts"),
      import("../tasks/visual-questions/evaluate.ts"),
      import("../tasks/visual-questions/corpus.ts"),
      import("../tasks/visual-questions/majority.ts"),
    ],
  );
  const answerer = await loadAnswerer(flags.model);
  try {
    const { data, source, training } = answerer.card;
    const folder = flags.data ?? locateQuestions(data.name, source);
    const corpus = await readCorpus(folder, training.recipe);
    answerer.checkCorpus(corpus);
    const result = evaluate(answerer, corpus.held(flags.split), majorityOf(corpus));
    await write(io.stdout, flags.json ? `${JSON.stringify(result)}\n` : told(flags.split, result));
  } finally {
    answerer.dispose();
  }
}

const percent = (share: number) => `${(100 * share).toFixed(2)} %`;

function told(
  split: string,
  { pictures, questions, accuracy, majority, kinds, mass, seconds }: Evaluation,
): string {
  const speed = `${questions} questions about ${pictures} pictures in ${seconds.toFixed(1)} s`;
  const ofKinds = Object.entries(kinds).map(
    ([kind, score]) => `${kind} ${percent(score.accuracy)} (${percent(score.majority)})`,
  );
  const looked =
    mass === null ? "" : `words of items look at their items with ${mass.toFixed(3)} of their weight\n`;
  const beside = `commonest answer to each question ${percent(majority)}`;
  return `${split}: right answers ${percent(accuracy)}, ${beside}; ${speed}\n${ofKinds.join(", ")}\n${looked}`;
}
