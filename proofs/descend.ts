import * as tf from "@tensorflow/tfjs-core";
import { loadGradients } from "../src/host/gradients.ts";
import { useHeedBackend } from "../src/host/select.ts";
import { Adam } from "../src/train/adam.ts";
import { namedGradients } from "../src/train/named-gradients.ts";
import type { Schedule } from "../src/train/schedule.ts";
import { profileStep } from "../src/train/step-profile.ts";
import { medianOf } from "./statistics.ts";
import { onlyCostAsked, type StepCost, tellCost } from "./step-cost.ts";
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
  /** Readings without a better score. */
  patience: number;
}

/** The steps whose kernels are timed, at least one; the first ones are slower than others. */
const [WARM_UP, PROFILED] = [5, 5];
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
  const shares: number[] = [];
  const best = until && new Best(variables, until);
  try {
    const end = onlyCostAsked() ? Math.min(steps, ENOUGH) : steps;
    for (let step = 0; step < end; step++) {
      const take = () => {
        const { loss: value, grads } = namedGradients(variables, () => tf.tidy(() => loss(step)));
        adam.learningRate = rate(step);
        adam.apply(grads, variables);
        tf.dispose(grads);
        return value;
      };
      const begun = performance.now();
      let value = Number.NaN;
      if (step >= Math.min(WARM_UP, steps - 1) && step < WARM_UP + PROFILED) {
        const profile = await profileStep(() => {
          value = take();
        });
        shares.push(profile.ours);
      } else value = take();
      seconds.push((performance.now() - begun) / 1000);
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
    kernelShare: medianOf(shares),
  };
  tellCost(cost);
  return cost;
}

/** The values that had the best score. */
class Best {
  readonly #variables: Readonly<Record<string, tf.Variable>>;
  readonly #until: Plateau;
  #values: tf.Tensor[] = [];
  #score = Number.NEGATIVE_INFINITY;
  #worse = 0;

  constructor(variables: Readonly<Record<string, tf.Variable>>, until: Plateau) {
    this.#variables = variables;
    this.#until = until;
  }

  /** Reads the score where it is time. @returns whether it may still get better */
  after(steps: number): boolean {
    const { every, patience } = this.#until;
    if (steps % every !== 0) return true;
    const score = this.#until.score();
    if (!(score > this.#score)) return ++this.#worse < patience;
    [this.#score, this.#worse] = [score, 0];
    this.dispose();
    this.#values = Object.values(this.#variables).map((variable) =>
      tf.tidy(() => tf.keep(tf.clone(variable))),
    );
    return true;
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
