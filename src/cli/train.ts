import { readFileSync } from "node:fs";
import path from "node:path";
import { Command } from "commander";
import { FileError, UsageError } from "../core/errors.ts";
import { fileReason } from "../core/file-reason.ts";
import type { Recipe } from "../tasks/translation/recipe.ts";
import { unreadable, wholeNumber } from "./flags.ts";
import { type Io, write } from "./io.ts";

const NAME = "heed train translation";
const MAX_EPOCHS = 1000;
const MAX_THREADS = 256;

interface Flags {
  data?: string;
  out: string;
  run: string;
  recipe?: string;
  epochs?: number;
  seed?: number;
  threads?: number;
}

const HELP = `
Stopped at any moment, even by a kill, the same command goes on from the last checkpoint in --run and reaches
the same numbers. The data set is the one that "heed data fetch tatoeba-en-fr" fetches.

  heed train translation --out my-model
  heed translate --model my-model "I am tired."
`;

/** `heed train translation`: a data set in, a model folder out. */
export function trainCommand(io: Io): Command {
  const translation = new Command("translation")
    .description("Trains the English–French model.")
    .option(
      "--data <dir>",
      "folder with train.tsv.gz, valid.tsv.gz and test.tsv.gz (default: the fetched data set)",
    )
    .option("--out <dir>", "folder of the finished model", "runs/translation-en-fr/model")
    .option("--run <dir>", "folder of the checkpoints", "runs/translation-en-fr")
    .option("--recipe <file>", "JSON with entries of the recipe to change")
    .option(
      "--epochs <n>",
      "passes over the data",
      wholeNumber(NAME, "--epochs", 1, MAX_EPOCHS, "try --epochs 6"),
    )
    .option(
      "--seed <n>",
      "chooses the random numbers",
      wholeNumber(NAME, "--seed", 0, 2 ** 24 - 1, "try --seed 1"),
    )
    .option(
      "--threads <n>",
      "shards computed at once (default: the cores); the numbers do not depend on it",
      wholeNumber(NAME, "--threads", 1, MAX_THREADS, "try --threads 2"),
    )
    .addHelpText("after", HELP)
    .action((flags: Flags, command: Command) => train(flags, command, io));
  return new Command("train").description("Trains a model that heed ships.").addCommand(translation);
}

async function train(flags: Flags, command: Command, io: Io): Promise<void> {
  const { DEFAULT_RECIPE } = await import("../tasks/translation/recipe.ts");
  const recipe = readRecipe(flags, DEFAULT_RECIPE);
  const { locateDataset } = await import("../data/locate.ts");
  const dataDir = locateDataset(recipe.data, flags.data ? { dir: flags.data } : {});
  const [{ runTranslation }, { createProgress }] = await Promise.all([
    import("../tasks/translation/run.ts"),
    import("../train/progress.ts"),
  ]);
  const stop = new AbortController();
  let signal: NodeJS.Signals | undefined;
  const abort = (name: NodeJS.Signals) => {
    signal = name;
    stop.abort();
  };
  process.once("SIGINT", abort).once("SIGTERM", abort);
  try {
    const { card, evaluation } = await runTranslation({
      recipe,
      dataDir,
      runDir: flags.run,
      outDir: flags.out,
      command: ["heed train translation", ...typed(flags, command)].join(" "),
      ...(flags.threads ? { threads: flags.threads } : {}),
      progress: createProgress(),
      signal: stop.signal,
    });
    if (!card || !evaluation) {
      await write(io.stderr, `${NAME}: stopped; the same command goes on from ${flags.run}\n`);
    } else {
      const { bleu, chrf, exact } = evaluation;
      const line = `test BLEU ${bleu.toFixed(2)}, chrF ${chrf.toFixed(2)}, exact ${(100 * exact).toFixed(1)} %`;
      await write(io.stdout, `${line}; the model is in ${flags.out}\n`);
    }
  } finally {
    process.off("SIGINT", abort).off("SIGTERM", abort);
  }
  // Saved and said; now end as the signal asks, so that a shell sees it.
  if (signal) process.kill(process.pid, signal);
}

/** The flags that shape the model, as they were typed. */
function typed({ epochs, seed, recipe }: Flags, command: Command): string[] {
  const given: [string, unknown][] = Object.entries({ epochs, seed, recipe });
  return given.flatMap(([name, value]) =>
    value !== undefined && command.getOptionValueSource(name) === "cli" ? [`--${name}`, String(value)] : [],
  );
}

function readRecipe({ recipe: file, epochs, seed }: Flags, base: Recipe): Recipe {
  const changes: Partial<Recipe> = { ...(epochs ? { epochs } : {}), ...(seed === undefined ? {} : { seed }) };
  if (!file) return { ...base, ...changes };
  let given: Partial<Recipe>;
  try {
    given = JSON.parse(readFileSync(file, "utf8")) as Partial<Recipe>;
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? "text that is no JSON" : fileReason(cause);
    throw new FileError("UNREADABLE", unreadable(NAME, path.normalize(file), reason), { cause });
  }
  const refuse = (got: string) =>
    new UsageError("USAGE", {
      op: NAME,
      rule: `--recipe must be a JSON object with entries of ${Object.keys(base).join(", ")}, each of its type`,
      got: JSON.stringify(got),
      remedy: "weights/translation-en-fr/card.json shows one",
      flag: "--recipe",
    });
  if (kindOf(given) !== "object") throw refuse(JSON.stringify(given));
  for (const [key, value] of Object.entries(given)) {
    if (kindOf(value) !== kindOf(base[key as keyof Recipe])) throw refuse(`${key}: ${JSON.stringify(value)}`);
  }
  return { ...base, ...given, model: { ...base.model, ...given.model }, ...changes };
}

/** `typeof`, but null and arrays are no objects. */
function kindOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}
