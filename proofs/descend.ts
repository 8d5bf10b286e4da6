import * as tf from "@tensorflow/tfjs-core";
import { loadGradients } from "../src/host/gradients.ts";
import { useHeedBackend } from "../src/host/select.ts";
import { Adam } from "../src/train/adam.ts";
import { namedGradients } from "../src/train/named-gradients.ts";
import type { Schedule } from "../src/train/schedule.ts";
import { profileStep } from "../src/train/step-profile.ts";
import { medianOf } from "./statistics.ts";
import { count } from "./variables.ts";

export interface DescendOptions {
  steps: number;
  /** Adam's step size, which falls in a straight line to nothing over the last third of the steps; or that of each step. */
  learningRate: number | Schedule;
  /** Adam's decay of squares. @default 0.999 */
  beta2?: number | undefined;
  /** The greatest norm of all gradients together. @default none */
  clipNorm?: number | undefined;
  /** Called after each step with its number from 1 and its loss. */
  onStep?: ((step: number, loss: number) => void) | undefined;
  /** Called after each step with the share done. */
  onProgress?: ((share: number) => void) | undefined;
}

/** What a step of training costs, as a claim may show it among its metrics: `...(await descend(…))`. */
export interface StepCost {
  /** How many numbers are trained. */
  parameters: number;
  /** Seconds of a step by the clock, drawing its batch included: the median of all. */
  stepSeconds: number;
  /** The share of a step in heed's own kernels, from 0 to 1: the median of a few. */
  kernelShare: number;
}

/** The steps whose kernels are timed, at least one; the first ones are slower than others. */
const [WARM_UP, PROFILED] = [5, 5];

/** The backend and the gradients that every proof trains with. */
export async function prepare(): Promise<void> {
  await loadGradients();
  await useHeedBackend();
}

/** Trains variables in place with Adam on the loss of each step, counted from 0, and says what a step costs. */
export async function descend(
  variables: Readonly<Record<string, tf.Variable>>,
  loss: (step: number) => tf.Scalar,
  { steps, learningRate, beta2, clipNorm, onStep, onProgress }: DescendOptions,
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
  try {
    for (let step = 0; step < steps; step++) {
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
      onProgress?.((step + 1) / steps);
      // Lets timers and signals in.
      if (step % 10 === 9) await new Promise((resolve) => setTimeout(resolve));
    }
  } finally {
    adam.dispose();
  }
  return { parameters: count(variables), stepSeconds: medianOf(seconds), kernelShare: medianOf(shares) };
}
