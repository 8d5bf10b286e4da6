import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { SetTransformer, type SetTransformerConfig } from "../../src/models/set/set-transformer.ts";
import { classLoss } from "../../src/models/transformer/classifier.ts";
import { part } from "../claim.ts";
import { descend, prepare } from "../descend.ts";
import { meanPool } from "./mean-pool.ts";

export interface LearnOptions {
  /** @default 1 */
  seed?: number;
  /** Of the Set Transformer. @default 1500 */
  steps?: number;
  onProgress: (share: number) => void;
}

interface Sets {
  x: tf.Tensor3D;
  lengths: number[];
  /** 1/length for elements that are there, [B, S, 1]. */
  shares: tf.Tensor3D;
  targets: Float32Array;
}

interface Task {
  config: SetTransformerConfig;
  draw(random: RandomStream, count: number): Sets;
  loss(output: tf.Tensor2D, targets: Float32Array): tf.Scalar;
  /** What is reported, of outputs for new sets. */
  score(output: tf.Tensor2D, targets: Float32Array): number;
  learningRate: number;
}

const BATCH = 64;
const HELD_OUT = 1024;
/** The baseline is cheap, and gets more steps, so that it stops improving. */
const BASELINE_STEPS = 10;

/** Trains a Set Transformer and the mean-pool baseline on one task; the score of each, and of the baseline halfway. */
async function learn({ config, draw, loss, score, learningRate }: Task, options: Required<LearnOptions>) {
  const { seed, steps, onProgress } = options;
  await prepare();
  const model = new SetTransformer(config, seed);
  const baseline = meanPool(new RandomStream(seed, 0), {
    from: config.inputWidth,
    width: 64,
    to: config.outputs,
  });
  const ours = ({ x, lengths }: Sets) => tf.squeeze(model.forward(x, { lengths }), [1]) as tf.Tensor2D;
  const theirs = ({ x, shares }: Sets) => baseline.forward(x, shares);
  const test = (answer: (sets: Sets) => tf.Tensor2D) =>
    tf.tidy(() => {
      const sets = draw(new RandomStream(seed, 2), HELD_OUT);
      return score(answer(sets), sets.targets);
    });
  const train = (
    variables: Readonly<Record<string, tf.Variable>>,
    answer: (sets: Sets) => tf.Tensor2D,
    given: { steps: number; at: number; halfway?: () => void },
  ) => {
    const random = new RandomStream(seed, 1);
    const onStep = (step: number) => step === given.steps / 2 && given.halfway?.();
    return descend(
      variables,
      () => {
        const sets = draw(random, BATCH);
        return loss(answer(sets), sets.targets);
      },
      { steps: given.steps, learningRate, clipNorm: 1, onStep, onProgress: part(onProgress, given.at, 2) },
    );
  };
  try {
    await train(model.parameters.variables, ours, { steps, at: 0 });
    let halfway = Number.NaN;
    const more = { steps: BASELINE_STEPS * steps, at: 1, halfway: () => (halfway = test(theirs)) };
    await train(baseline.variables, theirs, more);
    return { ours: test(ours), theirs: test(theirs), halfway };
  } finally {
    model.dispose();
    tf.dispose(baseline.variables);
  }
}

function sharesOf(lengths: readonly number[], S: number): tf.Tensor3D {
  const shares = new Float32Array(lengths.length * S);
  for (const [b, length] of lengths.entries()) shares.fill(1 / length, b * S, b * S + length);
  return tf.tensor3d(shares, [lengths.length, S, 1]);
}

const MOST = 10;

/** Sets of 1 to 10 numbers from 0 to 1, and the largest of each. */
const maximum: Task = {
  config: {
    ...{ inputWidth: 1, width: 32, heads: 4, inner: 32 },
    ...{ encoderLayers: 1, inducingPoints: 0, seeds: 1, decoderLayers: 0, outputs: 1 },
  },
  learningRate: 2e-3,
  draw(random, count) {
    const lengths = Array.from({ length: count }, () => 1 + random.integer(MOST));
    const values = new Float32Array(count * MOST);
    const targets = new Float32Array(count);
    for (let b = 0; b < count; b++) {
      for (let s = 0; s < lengths[b]!; s++) {
        const value = random.uniform();
        values[b * MOST + s] = value;
        targets[b] = Math.max(targets[b]!, value);
      }
    }
    return { x: tf.tensor3d(values, [count, MOST, 1]), lengths, shares: sharesOf(lengths, MOST), targets };
  },
  loss: (output, targets) => tf.mean(tf.squaredDifference(tf.squeeze(output, [1]), targets)) as tf.Scalar,
  score: (output, targets) => tf.mean(tf.abs(tf.sub(tf.squeeze(output, [1]), targets))).dataSync()[0]!,
};

const ELEMENTS = 8;
const KINDS = 6;
const WIDTH = 4;

/** Sets of 8 elements of 1 to 6 kinds, and how many kinds: each kind is a vector that is new in each set. */
const kinds: Task = {
  config: {
    ...{ inputWidth: WIDTH, width: 32, heads: 4, inner: 64 },
    ...{ encoderLayers: 2, inducingPoints: 0, seeds: 1, decoderLayers: 0, outputs: KINDS },
  },
  learningRate: 2e-3,
  draw(random, count) {
    const values = new Float32Array(count * ELEMENTS * WIDTH);
    const targets = new Float32Array(count);
    for (let b = 0; b < count; b++) {
      const different = 1 + random.integer(KINDS);
      targets[b] = different - 1;
      const vectors = random.fillNormal(new Float32Array(different * WIDTH));
      for (let s = 0; s < ELEMENTS; s++) {
        const kind = s < different ? s : random.integer(different);
        values.set(vectors.subarray(kind * WIDTH, (kind + 1) * WIDTH), (b * ELEMENTS + s) * WIDTH);
      }
    }
    const lengths = new Array<number>(count).fill(ELEMENTS);
    return {
      x: tf.tensor3d(values, [count, ELEMENTS, WIDTH]),
      ...{ lengths, shares: sharesOf(lengths, ELEMENTS), targets },
    };
  },
  loss: (output, targets) => classLoss(output, [...targets]),
  score: (output, targets) =>
    tf.mean(tf.cast(tf.equal(tf.argMax(output, 1), tf.tensor1d(targets, "int32")), "float32")).dataSync()[0]!,
};

/** Mean absolute errors of the largest number of a set; numbers lie between 0 and 1. */
export async function learnMaximum({ seed = 1, steps = 1500, onProgress }: LearnOptions) {
  const { ours, theirs, halfway } = await learn(maximum, { seed, steps, onProgress });
  return { error: ours, meanPoolError: theirs, meanPoolHalfway: halfway, ratio: ours / theirs };
}

/** Shares of sets whose kinds are counted right. */
export async function learnKinds({ seed = 1, steps = 1500, onProgress }: LearnOptions) {
  const { ours, theirs, halfway } = await learn(kinds, { seed, steps, onProgress });
  return { accuracy: ours, meanPoolAccuracy: theirs, meanPoolHalfway: halfway };
}
