/** Training of a model beside the same model without the part that it is about, so that the part's worth is a measured one. */
import path from "node:path";
import type * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../core/errors.ts";
import { RandomStream } from "../core/random.ts";
import { loadGradients } from "../host/gradients.ts";
import { useHeedBackend } from "../host/select.ts";
import type { Parameters } from "../models/parameters.ts";
import { checkUnlocked } from "../train/folder-lock.ts";
import { linearSchedule } from "../train/schedule.ts";
import { trainOn } from "../train/train-on.ts";
import { COMPARED, type Compared } from "./compared-models.ts";
import { asShipped, prepareModelFolder } from "./model-folder.ts";
import type { RunOptions } from "./run-options.ts";

/** What the recipes of such tasks have in common. */
export interface ComparedRecipe {
  /** Name of the data set. */
  data: string;
  model: object;
  seed: number;
  /** The most passes over the training data: a run stops before when it no longer gets better. */
  epochs: number;
  /** Examples in a batch. */
  batch: number;
  learningRate: number;
  warmupSteps: number;
  clipNorm: number;
  /** Steps between two looks at the validation part. */
  evaluateEvery: number;
  /** Looks without a better score before a run stops. */
  patience: number;
}

/** One of the two, as training sees it. */
export interface Contender {
  readonly parameters: Parameters;
  /** The loss of the examples of these numbers. */
  loss(examples: Int32Array): tf.Scalar;
  /** Validation score, higher is better. */
  score(): number;
}

/** How a training went; hours are those of its steps, score that of the validation part. */
export interface Training {
  steps: number;
  epochs: number;
  hours: number;
  score: number;
}

export interface ComparedTraining {
  readonly weights: Readonly<Record<string, Float32Array>>;
  readonly training: Training;
}

export interface TrainComparedOptions<Recipe extends ComparedRecipe> {
  op: string;
  run: RunOptions<Recipe>;
  /** A checksum of the data. */
  checksum: string;
  /** Training examples. */
  examples: number;
  /** Makes one of the two; the backend is ready. It is disposed when it is trained. */
  start(which: Compared): Contender;
}

const CHECKPOINT_SECONDS = 60;
/** Streams from here on belong to epochs. */
const FIRST_STREAM = 2 ** 40;

/** Where the checkpoints of one of the two go; the finished model may stand beside them. */
const folderOf = (runDir: string, which: Compared) => path.join(runDir, `${which}-checkpoints`);

/** Finds what is wrong with the folders of a run, and makes the backend ready, before there is any work. */
export async function prepareRun(op: string, { outDir, runDir }: RunOptions<never>): Promise<void> {
  prepareModelFolder(op, outDir);
  for (const which of COMPARED) await checkUnlocked(op, folderOf(runDir, which));
  await loadGradients();
  await useHeedBackend();
}

/**
 * Trains both until they no longer get better; undefined where the signal stopped them. The same recipe and data give the
 * same two, bit for bit, on one machine and kernel build, however often they are stopped.
 *
 * @throws OptionError CONFLICT where there are too few examples for a batch
 */
export async function trainCompared<Recipe extends ComparedRecipe>(
  options: TrainComparedOptions<Recipe>,
): Promise<Record<Compared, ComparedTraining> | undefined> {
  const { op, run, checksum, examples, start } = options;
  const { recipe, runDir, progress, signal } = run;
  const { batch, seed, evaluateEvery, patience, learningRate: peak, warmupSteps, clipNorm } = recipe;
  const order = new Order(op, examples, recipe);
  const steps = order.stepsPerEpoch * recipe.epochs;
  const trained: Partial<Record<Compared, ComparedTraining>> = {};
  for (const which of COMPARED) {
    const contender = start(which);
    try {
      progress?.log(`training the ${which}`);
      const { best, stopped, seconds } = await trainOn<Int32Array>({
        variables: contender.parameters.variables,
        batchAt: (k) => ({ batch: order.at(k), tokens: batch }),
        loss: (numbers) => contender.loss(numbers),
        steps,
        learningRate: linearSchedule({ peak, warmupSteps: Math.min(warmupSteps, steps - 1), steps }),
        adam: { clipNorm },
        seed,
        recipe,
        data: checksum,
        evaluate: () => contender.score(),
        evaluateEvery,
        earlyStopping: { patience },
        checkpoint: { folder: folderOf(runDir, which), everySeconds: CHECKPOINT_SECONDS },
        ...(progress && { progress }),
        ...(signal && { signal }),
      });
      if (stopped === "signal" || !best) return undefined;
      const { step, score, weights } = best;
      const training = {
        steps: step,
        epochs: step / order.stepsPerEpoch,
        hours: seconds / 3600,
        score,
      };
      trained[which] = { weights: asShipped(weights), training };
    } finally {
      contender.parameters.dispose();
    }
  }
  return trained as Record<Compared, ComparedTraining>;
}

/** What a card says of the training of both. */
export const trainingOfBoth = <Recipe extends ComparedRecipe>(
  { command, recipe }: Pick<RunOptions<Recipe>, "command" | "recipe">,
  { model, baseline }: Readonly<Record<Compared, ComparedTraining>>,
) => ({ command, recipe, ...model.training, baseline: baseline.training });

/** Examples of these numbers, one after another, of values that have `size` numbers each. */
export function gatherExamples(
  values: Float32Array,
  size: number,
  examples: ArrayLike<number>,
): Float32Array {
  const gathered = new Float32Array(examples.length * size);
  for (let at = 0; at < examples.length; at++)
    gathered.set(values.subarray(examples[at]! * size, (examples[at]! + 1) * size), at * size);
  return gathered;
}

/** The examples of each batch: every epoch has its own order, and leaves out what fills no batch. */
class Order {
  readonly #examples: number;
  readonly #recipe: ComparedRecipe;
  readonly stepsPerEpoch: number;
  #epoch = -1;
  #order = new Int32Array(0);

  constructor(op: string, examples: number, recipe: ComparedRecipe) {
    this.#examples = examples;
    this.#recipe = recipe;
    this.stepsPerEpoch = Math.floor(examples / recipe.batch);
    if (this.stepsPerEpoch > 0) return;
    const rule = `there must be training examples for a batch of ${recipe.batch}`;
    const remedy = "give more data, or choose a smaller batch in the recipe";
    throw new OptionError("CONFLICT", { op, rule, got: examples, remedy });
  }

  at(k: number): Int32Array {
    const { batch, seed } = this.#recipe;
    const epoch = Math.floor(k / this.stepsPerEpoch);
    if (epoch !== this.#epoch) {
      const numbers = Int32Array.from({ length: this.#examples }, (_, n) => n);
      this.#order = new RandomStream(seed, FIRST_STREAM + epoch).shuffle(numbers);
      this.#epoch = epoch;
    }
    const first = (k % this.stepsPerEpoch) * batch;
    return this.#order.slice(first, first + batch);
  }
}
