import * as tf from "@tensorflow/tfjs-core";
import { Adam } from "../../train/adam.ts";
import { namedGradients } from "../../train/named-gradients.ts";

export interface DescendOptions {
  steps: number;
  /** Adam's step size, which falls to nothing over the last third of the steps. */
  learningRate: number;
  /** Hears the share done after each step. */
  onProgress?: (share: number) => void;
}

/** Trains variables in place, with Adam; gives the last loss. */
export async function descend(
  variables: Record<string, tf.Variable>,
  loss: (step: number) => tf.Scalar,
  { steps, learningRate, onProgress }: DescendOptions,
): Promise<number> {
  const adam = new Adam();
  let last = Number.NaN;
  try {
    for (let step = 0; step < steps; step++) {
      const { loss: value, grads } = namedGradients(variables, () => loss(step));
      adam.learningRate = learningRate * Math.min(1, (3 * (steps - step)) / steps);
      adam.apply(grads, variables);
      tf.dispose(grads);
      last = value;
      onProgress?.((step + 1) / steps);
      // Lets timers and signals in.
      if (step % 50 === 49) await new Promise((resolve) => setTimeout(resolve));
    }
    return last;
  } finally {
    adam.dispose();
  }
}
