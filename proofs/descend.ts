import * as tf from "@tensorflow/tfjs-core";
import { loadGradients } from "../src/host/gradients.ts";
import { useHeedBackend } from "../src/host/select.ts";
import { Adam } from "../src/train/adam.ts";
import { namedGradients } from "../src/train/named-gradients.ts";
import type { Schedule } from "../src/train/schedule.ts";
import { profileStep, type StepProfile } from "../src/train/step-profile.ts";
import { medianOf } from "./statistics.ts";
import { onlyCostAsked, type StepCost, tellCost } from "./step-cost.ts";
import { clock } from "./time/clock.ts";
import { count } from "./variables.ts";

export interface DescendOptions {
  steps: number;
  /** Adam's step size, which falls in a straight line to nothing over the last third of the steps; or that of each step. */
  learningRate: number | Schedule;
  /** Adam's decay of squares. @default 0.999 */
  beta2?: number | undefined;
  /** The greatest norm of all gradients together. @default none */
  clipNorm?: number | undefined;
  /** Ends the training where it no longer gets better, with the values that were best. @default after all steps */
  until?: Plateau | undefined;
  /** Called after each step with its number from 1 and its loss. */
  onStep?: ((step: number, loss: number) => void) | undefined;
  /** Called after each step with the share done. */
  onProgress?: ((share: number) => void) | undefined;
}

/** When a training is over: a score, the higher the better, that is read every so many steps. */
export interface Plateau {
  score(): number;
  every: number;
  /** Readings without a better score. @default a third of all so far, and no fewer than three */
  patience?: number | undefined;
  /** By how much a score must be higher to be better: its standard error. @default 0 */
  error?: ((score: number) => number) | undefined;
  /** Whether the values before the first step may be the best. @default false */
  countsStart?: boolean | undefined;
}

/** The standard error of a share of `count` examples. */
export const errorOfShare = (count: number) => (share: number) => Math.sqrt((share * (1 - share)) / count);

/** The steps whose kernels are timed, at least one; the first ones are slower than others. */
const [WARM_UP, PROFILED] = [5, 15];
/** Steps after which a training ends that is asked for its cost alone. */
const ENOUGH = 25;

/** The backend and the gradients that every proof trains with. */
export async function prepare(): Promise<void> {
  await loadGradients();
  await useHeedBackend();
}

/** Trains variables in place with Adam on the loss of each step, counted from 0, and says what a step costs. */
export async function descend(
  variables: Readonly<Record<string, tf.Variable>>,
  loss: (step: number) => tf.Scalar,
  { steps, learningRate, beta2, clipNorm, until, onStep, onProgress }: DescendOptions,
): Promise<StepCost> {
  const adam = new Adam({
    ...(beta2 !== undefined && { beta2 }),
    ...(clipNorm !== undefined && { clipNorm }),
  });
  const rate: Schedule =
    typeof learningRate === "number"
      ? (step) => learningRate * Math.min(1, (3 * (steps - step)) / steps)
      : learningRate;
  const seconds: number[] = [];
  const profiles: StepProfile[] = [];
  const best = until && new Best(variables, until);
  try {
    if (until?.countsStart) best?.after(0);
    const end = onlyCostAsked() ? Math.min(steps, ENOUGH) : steps;
    for (let step = 0; step < end; step++) {
      const take = () => {
        const { loss: value, grads } = namedGradients(variables, () => tf.tidy(() => loss(step)));
        adam.learningRate = rate(step);
        adam.apply(grads, variables);
        tf.dispose(grads);
        return value;
      };
      const begun = clock();
      let value = Number.NaN;
      if (step >= Math.min(WARM_UP, steps - 1) && step < WARM_UP + PROFILED) {
        const profile = await profileStep(() => {
          value = take();
        });
        profiles.push(profile);
      } else value = take();
      seconds.push((clock() - begun) / 1000);
      onStep?.(step + 1, value);
      const isOver = best?.after(step + 1) === false;
      onProgress?.(isOver ? 1 : (step + 1) / steps);
      if (isOver) break;
      // Lets timers and signals in.
      if (step % 10 === 9) await new Promise((resolve) => setTimeout(resolve));
    }
    best?.restore();
  } finally {
    adam.dispose();
    best?.dispose();
  }
  const cost = {
    parameters: count(variables),
    stepSeconds: medianOf(seconds),
    // Of the step that was interrupted least: the clock of kernels is the one on the wall.
    kernelShare: profiles.reduce((a, b) => (b.seconds < a.seconds ? b : a)).ours,
  };
  tellCost(cost);
  return cost;
}

/** How a training went that ended where it no longer got better. */
export interface Settled {
  /** All of its steps, those at a falling rate included. */
  steps: number;
  /** Whether it ended by itself, before the most steps that it may take. */
  settled: boolean;
}

/**
 * Trains at one rate until the score is no longer better than by its standard error in the last third of all steps, then half as
 * long at a rate that falls to nothing: what is compared with a model had all the training that helps it. The values are those
 * of the best score.
 *
 * @param steps the most at one rate
 */
export async function descendUntilSettled(
  variables: Readonly<Record<string, tf.Variable>>,
  loss: (step: number) => tf.Scalar,
  {
    steps,
    until,
    onProgress,
    ...options
  }: Omit<DescendOptions, "learningRate" | "onStep"> & {
    learningRate: number;
    until: Plateau;
  },
): Promise<Settled> {
  const { learningRate: rate } = options;
  let taken = 0;
  const onStep = () => taken++;
  const given = { ...options, clipNorm: options.clipNorm, onStep };
  const first = (share: number) => onProgress?.((2 * share) / 3);
  await descend(variables, loss, { ...given, steps, until, learningRate: () => rate, onProgress: first });
  const settled = taken < steps;
  const rest = Math.ceil(taken / 2);
  await descend(variables, (step) => loss(taken + step), {
    ...{ ...options, steps: rest, learningRate: (step) => (rate * (rest - step)) / rest },
    until: { ...until, patience: Number.POSITIVE_INFINITY, countsStart: true },
    onProgress: (share) => onProgress?.((2 + share) / 3),
  });
  return { steps: taken + rest, settled };
}

/** The values that had the best score. */
class Best {
  readonly #variables: Readonly<Record<string, tf.Variable>>;
  readonly #until: Plateau;
  #values: tf.Tensor[] = [];
  #best = Number.NEGATIVE_INFINITY;
  /** The last score that was better than the one before it by more than its error. */
  #better = Number.NEGATIVE_INFINITY;
  #readings = 0;
  #worse = 0;

  constructor(variables: Readonly<Record<string, tf.Variable>>, until: Plateau) {
    this.#variables = variables;
    this.#until = until;
  }

  /** Reads the score where it is time. @returns whether it may still get better */
  after(steps: number): boolean {
    const { every, error = () => 0, patience } = this.#until;
    if (steps % every !== 0) return true;
    const score = this.#until.score();
    this.#readings++;
    if (score > this.#best) this.#keep(score);
    if (score > this.#better + error(score)) [this.#better, this.#worse] = [score, 0];
    else this.#worse++;
    return this.#worse < (patience ?? Math.max(3, this.#readings / 3));
  }

  #keep(score: number): void {
    this.#best = score;
    this.dispose();
    this.#values = Object.values(this.#variables).map((variable) =>
      tf.tidy(() => tf.keep(tf.clone(variable))),
    );
  }

  restore(): void {
    for (const [n, variable] of Object.values(this.#variables).entries()) {
      const value = this.#values[n];
      if (value) variable.assign(value);
    }
  }

  dispose(): void {
    tf.dispose(this.#values);
    this.#values = [];
  }
}
