import * as tf from "@tensorflow/tfjs-core";
import { gatePenalty } from "../../src/attention/feature/gate-penalty.ts";
import { learnableGate } from "../../src/attention/feature/learnable-gate.ts";
import { RandomStream } from "../../src/core/random.ts";
import { linear } from "../../src/ops/linear.ts";
import { descend, prepare } from "../descend.ts";
import { areaUnderCurve, meanOf } from "../statistics.ts";
import { constant, normal, weight } from "../variables.ts";

export interface SelectionOptions {
  /** @default 1 */
  seed?: number;
  /** @default 1200 */
  steps?: number;
  /** Of the mean of the gates in the loss. @default 0.3 */
  penalty?: number;
  onProgress: (share: number) => void;
}

export interface SelectionResult {
  /** Area under the ROC curve of the gates against the features that matter. */
  auc: number;
  /** Mean gate of those that matter, and of the others. */
  relevantGate: number;
  otherGate: number;
  /** Mean squared error on new examples; the targets' variance is about 4. */
  mse: number;
}

const FEATURES = 50;
const RELEVANT = 5;
const HIDDEN = 16;
const BATCH = 256;

/**
 * Five of fifty features matter, in a product, a square, a sigmoid and a plain term; a gate of one weight a feature
 * stands before a small network, and its mean is part of the loss. Which features, the gates must find.
 */
export async function learnSelection(options: SelectionOptions): Promise<SelectionResult> {
  const { seed = 1, steps = 1200, penalty = 0.3, onProgress } = options;
  await prepare();
  const random = new RandomStream(seed, 0);
  const examples = new RandomStream(seed, 1);
  const relevant = choose(random);
  const variables = {
    gate: constant<tf.Tensor1D>([FEATURES]),
    w1: weight<tf.Tensor2D>(random, [FEATURES, HIDDEN]),
    b1: constant<tf.Tensor1D>([HIDDEN]),
    w2: weight<tf.Tensor2D>(random, [HIDDEN, 1]),
    b2: constant<tf.Tensor1D>([1]),
  };
  const { gate, w1, b1, w2, b2 } = variables;
  const error = (rows: number) => {
    const x = normal<tf.Tensor2D>(examples, [rows, FEATURES]);
    const gated = learnableGate(x, { w: gate });
    const answer = linear(tf.tanh(linear(gated.output, w1, b1)), w2, b2);
    const mse = tf.mean(tf.squaredDifference(tf.reshape(answer, [rows]), target(x, relevant))) as tf.Scalar;
    return { mse, gate: gated.gate };
  };
  // Weights that are free to grow would make up for gates that close.
  const loss = () => {
    const { mse, gate: open } = error(BATCH);
    const size = tf.mul(tf.sum(tf.square(w1)), 1e-3);
    return tf.add(tf.add(mse, size), tf.mul(gatePenalty(open), penalty)) as tf.Scalar;
  };
  try {
    await descend(variables, loss, { steps, learningRate: 0.02, onProgress });
    return tf.tidy(() => {
      const gates = [...tf.sigmoid(gate).dataSync()];
      const [inside, outside] = [true, false].map((side) =>
        gates.filter((_, n) => relevant.includes(n) === side),
      );
      return {
        auc: areaUnderCurve(inside!, outside!),
        relevantGate: meanOf(inside!),
        otherGate: meanOf(outside!),
        mse: error(4096).mse.dataSync()[0]!,
      };
    });
  } finally {
    tf.dispose(variables);
  }
}

/** Different features, in a random order. */
function choose(random: RandomStream): number[] {
  const chosen = new Set<number>();
  while (chosen.size < RELEVANT) chosen.add(random.integer(FEATURES));
  return [...chosen];
}

function target(x: tf.Tensor2D, relevant: readonly number[]): tf.Tensor1D {
  const [a, b, c, d, e] = relevant.map((n) => tf.reshape(tf.slice(x, [0, n], [-1, 1]), [-1]));
  const parts = [tf.mul(a!, b!), tf.mul(tf.tanh(tf.mul(c!, 2)), 1.2), tf.mul(tf.square(d!), 0.7), e!];
  return tf.addN(parts) as tf.Tensor1D;
}
