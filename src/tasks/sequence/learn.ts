import * as tf from "@tensorflow/tfjs-core";
import { loadGradients } from "../../host/gradients.ts";
import { useHeedBackend } from "../../host/select.ts";
import { Adam } from "../../train/adam.ts";
import { namedGradients } from "../../train/named-gradients.ts";

export interface LearnOptions {
  /** Optimiser steps. */
  steps: number;
  /** Adam's step size, which falls in a straight line to nothing over the second half of the steps. */
  learningRate: number;
  /** Called after each step with its number from 1. */
  onStep?: ((step: number) => void) | undefined;
}

/** Trains variables on batches that `loss` draws by the number of the step, and returns the last loss. */
export async function learn(
  variables: Readonly<Record<string, tf.Variable>>,
  loss: (step: number) => tf.Scalar,
  { steps, learningRate, onStep }: LearnOptions,
): Promise<number> {
  const adam = new Adam({ clipNorm: 1 });
  let last = Number.NaN;
  try {
    for (let step = 0; step < steps; step++) {
      const { loss: now, grads } = namedGradients(variables, () => tf.tidy(() => loss(step)));
      last = now;
      adam.learningRate = learningRate * Math.min(1, 2 - (2 * step) / steps);
      adam.apply(grads, variables);
      tf.dispose(grads);
      onStep?.(step + 1);
      // Lets timers and signals in.
      if (step % 20 === 19) await new Promise((resolve) => setTimeout(resolve));
    }
  } finally {
    adam.dispose();
  }
  return last;
}

/** The backend and gradients that a task trains with. */
export async function prepare(): Promise<void> {
  await loadGradients();
  await useHeedBackend();
}
