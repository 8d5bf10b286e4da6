import { readFileSync } from "node:fs";
import path from "node:path";
import { Command } from "commander";
import { FileError, UsageError } from "../core/errors.ts";
import { fileReason } from "../core/file-reason.ts";
import type { RunOptions } from "../tasks/run-options.ts";
import { unreadable, wholeNumber } from "./flags.ts";
import { type Io, write } from "./io.ts";

const MAX_EPOCHS = 1000;
const MAX_THREADS = 256;

/** What every recipe has, besides what its task adds. */
export interface BaseRecipe {
  /** Name of the data set. */
  data: string;
  seed: number;
  epochs: number;
  model: object;
}

/** One `heed train NAME`. */
export interface TrainTask {
  readonly name: string;
  readonly description: string;
  /** What --data holds. */
  readonly data: string;
  /** Where checkpoints go, and in `model` below it the finished model. */
  readonly folder: string;
  readonly help: string;
  /** A card that shows a recipe. */
  readonly card: string;
  load(): Promise<{
    recipe: BaseRecipe;
    /** The scores of the finished model in a line; undefined where the run was stopped by the signal. */
    run(options: RunOptions<never>): Promise<string | undefined>;
    /** The folder of a data set of that name. */
    locate(name: string, options: { dir?: string }): string;
  }>;
}

interface Flags {
  data?: string;
  out: string;
  run: string;
  recipe?: string;
  epochs?: number;
  seed?: number;
  threads?: number;
}

/** A data set in, a model folder out; stopped at any moment, the same command goes on. */
export function trainTaskCommand(task: TrainTask, io: Io): Command {
  const name = `heed train ${task.name}`;
  return new Command(task.name)
    .description(task.description)
    .option("--data <dir>", task.data)
    .option("--out <dir>", "folder of the finished model", `${task.folder}/model`)
    .option("--run <dir>", "folder of the checkpoints", task.folder)
    .option("--recipe <file>", "JSON with entries of the recipe to change")
    .option(
      "--epochs <n>",
      "passes over the data",
      wholeNumber(name, "--epochs", 1, MAX_EPOCHS, "try --epochs 6"),
    )
    .option(
      "--seed <n>",
      "chooses the random numbers",
      wholeNumber(name, "--seed", 0, 2 ** 24 - 1, "try --seed 1"),
    )
    .option(
      "--threads <n>",
      "shards computed at once (default: the cores); the numbers do not depend on it",
      wholeNumber(name, "--threads", 1, MAX_THREADS, "try --threads 2"),
    )
    .addHelpText(
      "after",
      `
Stopped at any moment, even by a kill, the same command goes on from the last checkpoint in --run and reaches
the same numbers. ${task.help}
`,
    )
    .action((flags: Flags, command: Command) => train(task, name, flags, command, io));
}

async function train(task: TrainTask, name: string, flags: Flags, command: Command, io: Io): Promise<void> {
  const { recipe: base, run, locate } = await task.load();
  const recipe = readRecipe(task, name, flags, base);
  const dataDir = locate(recipe.data, flags.data ? { dir: flags.data } : {});
  const { createProgress } = await import("../train/progress.ts");
  const stop = new AbortController();
  let signal: NodeJS.Signals | undefined;
  const abort = (given: NodeJS.Signals) => {
    signal = given;
    stop.abort();
  };
  process.once("SIGINT", abort).once("SIGTERM", abort);
  try {
    const options: RunOptions<BaseRecipe> = {
      recipe,
      dataDir,
      runDir: flags.run,
      outDir: flags.out,
      command: [name, ...typed(flags, command)].join(" "),
      ...(flags.threads ? { threads: flags.threads } : {}),
      progress: createProgress(),
      signal: stop.signal,
    };
    const scores = await run(options as RunOptions<never>);
    if (scores === undefined)
      await write(io.stderr, `${name}: stopped; the same command goes on from ${flags.run}\n`);
    else await write(io.stdout, `${scores}; the model is in ${flags.out}\n`);
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

function readRecipe(
  { card }: TrainTask,
  op: string,
  { recipe: file, epochs, seed }: Flags,
  base: BaseRecipe,
): BaseRecipe {
  const changes = { ...(epochs ? { epochs } : {}), ...(seed === undefined ? {} : { seed }) };
  if (!file) return { ...base, ...changes };
  let given: Partial<BaseRecipe>;
  try {
    given = JSON.parse(readFileSync(file, "utf8")) as Partial<BaseRecipe>;
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? "text that is no JSON" : fileReason(cause);
    throw new FileError("UNREADABLE", unreadable(op, path.normalize(file), reason), { cause });
  }
  const refuse = (got: string) =>
    new UsageError("USAGE", {
      op,
      rule: `--recipe must be a JSON object with entries of ${Object.keys(base).join(", ")}, each of its type`,
      got: JSON.stringify(got),
      remedy: `${card} shows one`,
      flag: "--recipe",
    });
  if (kindOf(given) !== "object") throw refuse(JSON.stringify(given));
  for (const [key, value] of Object.entries(given)) {
    if (kindOf(value) !== kindOf(base[key as keyof BaseRecipe]))
      throw refuse(`${key}: ${JSON.stringify(value)}`);
  }
  return { ...base, ...given, model: { ...base.model, ...given.model }, ...changes };
}

/** `typeof`, but null and arrays are no objects. */
function kindOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}
