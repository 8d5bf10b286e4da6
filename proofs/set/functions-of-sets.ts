import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { SetTransformer, type SetTransformerConfig } from "../../src/models/set/set-transformer.ts";
import { classLoss } from "../../src/models/transformer/classifier.ts";
import { part } from "../claim.ts";
import { descendUntilSettled, errorOfShare, prepare, type Settled } from "../descend.ts";
import { meanPool } from "./mean-pool.ts";

export interface LearnOptions {
  /** @default 1 */
  seed?: number;
  /** The most steps of the Set Transformer at one rate; it ends before where it no longer gets better. @default 30000 */
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
  /** 1 where a higher score is better, −1 where a lower one is. */
  isBetter: 1 | -1;
  /** The standard error of a score. */
  error(score: number): number;
  learningRate: number;
}

const STREAM = { training: 1, test: 2, validation: 3 } as const;
const BATCH = 64;
const HELD_OUT = 1024;
/** Steps between two readings of a score, sets of one, and the most steps at one rate: of the baseline five times as many. */
const [EVERY, VALIDATION, MOST_STEPS] = [1000, 8192, { ours: 30_000, theirs: 150_000 }];

interface Learned {
  ours: number;
  theirs: number;
  /** Steps of both, and whether each stopped improving before the most that it may take. */
  went: { ours: Settled; theirs: Settled };
}

/** Trains a Set Transformer and the mean-pool baseline until they stop improving: the score of each on new sets. */
async function learn(task: Task, { seed, steps, onProgress }: Required<LearnOptions>): Promise<Learned> {
  const { config, draw, loss, score, isBetter, error, learningRate } = task;
  await prepare();
  const model = new SetTransformer(config, seed);
  const baseline = meanPool(new RandomStream(seed, 0), {
    from: config.inputWidth,
    width: 64,
    to: config.outputs,
  });
  const ours = ({ x, lengths }: Sets) => tf.squeeze(model.forward(x, { lengths }), [1]) as tf.Tensor2D;
  const theirs = ({ x, shares }: Sets) => baseline.forward(x, shares);
  const test = (answer: (sets: Sets) => tf.Tensor2D, stream: number = STREAM.test, count = HELD_OUT) =>
    tf.tidy(() => {
      const sets = draw(new RandomStream(seed, stream), count);
      return score(answer(sets), sets.targets);
    });
  const lossOf = (answer: (sets: Sets) => tf.Tensor2D) => {
    const random = new RandomStream(seed, STREAM.training);
    return () => {
      const sets = draw(random, BATCH);
      return loss(answer(sets), sets.targets);
    };
  };
  const given = { learningRate, clipNorm: 1 };
  try {
    const until = (answer: (sets: Sets) => tf.Tensor2D) => ({
      ...{ score: () => isBetter * test(answer, STREAM.validation, VALIDATION), every: EVERY, error },
    });
    const went = {
      ours: await descendUntilSettled(model.parameters.variables, lossOf(ours), {
        ...{ ...given, steps, until: until(ours), onProgress: part(onProgress, 0, 2) },
      }),
      theirs: await descendUntilSettled(baseline.variables, lossOf(theirs), {
        ...{ ...given, steps: MOST_STEPS.theirs, until: until(theirs), onProgress: part(onProgress, 1, 2) },
      }),
    };
    return { ours: test(ours), theirs: test(theirs), went };
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
  isBetter: -1,
  // Errors spread about as much as they are large.
  error: (score) => Math.abs(score) / Math.sqrt(VALIDATION),
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
  isBetter: 1,
  error: errorOfShare(VALIDATION),
  score: (output, targets) =>
    tf.mean(tf.cast(tf.equal(tf.argMax(output, 1), tf.tensor1d(targets, "int32")), "float32")).dataSync()[0]!,
};

/** Mean absolute errors of the largest number of a set; numbers lie between 0 and 1. */
export async function learnMaximum({ seed = 1, steps = MOST_STEPS.ours, onProgress }: LearnOptions) {
  const { ours, theirs, went } = await learn(maximum, { seed, steps, onProgress });
  return { error: ours, meanPoolError: theirs, ...training(went), ratio: ours / theirs };
}

/** Shares of sets whose kinds are counted right. */
export async function learnKinds({ seed = 1, steps = MOST_STEPS.ours, onProgress }: LearnOptions) {
  const { ours, theirs, went } = await learn(kinds, { seed, steps, onProgress });
  return { accuracy: ours, meanPoolAccuracy: theirs, ...training(went), gain: ours - theirs };
}

const training = ({ ours, theirs }: Learned["went"]) => ({
  ...{ steps: ours.steps, settled: Number(ours.settled) },
  ...{ meanPoolSteps: theirs.steps, meanPoolSettled: Number(theirs.settled) },
});
