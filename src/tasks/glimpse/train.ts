import * as tf from "@tensorflow/tfjs-core";
import { Adam } from "../../train/adam.ts";
import { namedGradients } from "../../train/named-gradients.ts";

export interface Minimisation {
  variables: Record<string, tf.Variable>;
  /** The loss of step k, counted from 0. */
  loss: (k: number) => tf.Scalar;
  steps: number;
  /** Falls to nothing along a straight line over the last half of the steps. */
  learningRate: number;
  onProgress?: (share: number) => void;
}

/** Adam on a few variables; lets timers and signals in between steps. */
export async function minimise({
  variables,
  loss,
  steps,
  learningRate,
  onProgress,
}: Minimisation): Promise<void> {
  const adam = new Adam({ clipNorm: 100 });
  try {
    for (let k = 0; k < steps; k++) {
      const { grads } = namedGradients(variables, () => loss(k));
      adam.learningRate = learningRate * Math.min(1, (2 * (steps - k)) / steps);
      adam.apply(grads, variables);
      tf.dispose(grads);
      if (k % 10 === 9) {
        onProgress?.((k + 1) / steps);
        await new Promise((resolve) => setTimeout(resolve));
      }
    }
  } finally {
    adam.dispose();
  }
}
