import * as tf from "@tensorflow/tfjs-core";
import { loadGradients } from "../src/host/gradients.ts";
import { useHeedBackend } from "../src/host/select.ts";
import { Adam } from "../src/train/adam.ts";
import { namedGradients } from "../src/train/named-gradients.ts";
import type { Schedule } from "../src/train/schedule.ts";

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

/** The backend and the gradients that every proof trains with. */
export async function prepare(): Promise<void> {
  await loadGradients();
  await useHeedBackend();
}

/** Trains variables in place with Adam on the loss of each step, counted from 0. */
export async function descend(
  variables: Readonly<Record<string, tf.Variable>>,
  loss: (step: number) => tf.Scalar,
  { steps, learningRate, beta2, clipNorm, onStep, onProgress }: DescendOptions,
): Promise<void> {
  const adam = new Adam({
    ...(beta2 !== undefined && { beta2 }),
    ...(clipNorm !== undefined && { clipNorm }),
  });
  const rate: Schedule =
    typeof learningRate === "number"
      ? (step) => learningRate * Math.min(1, (3 * (steps - step)) / steps)
      : learningRate;
  try {
    for (let step = 0; step < steps; step++) {
      const { loss: value, grads } = namedGradients(variables, () => tf.tidy(() => loss(step)));
      adam.learningRate = rate(step);
      adam.apply(grads, variables);
      tf.dispose(grads);
      onStep?.(step + 1, value);
      onProgress?.((step + 1) / steps);
      // Lets timers and signals in.
      if (step % 10 === 9) await new Promise((resolve) => setTimeout(resolve));
    }
  } finally {
    adam.dispose();
  }
}
