import * as tf from "@tensorflow/tfjs-core";
import {
  gumbelSoftmax,
  logProbability,
  MovingAverage,
  sampledAttention,
  scoreFunctionLoss,
  straightThrough,
} from "../../src/attention/discrete/index.ts";
import { hardmax, softmax } from "../../src/attention/normalize/index.ts";
import { dotScore } from "../../src/attention/score/index.ts";
import { attend } from "../../src/attention/sequence/index.ts";
import { RandomStream } from "../../src/core/random.ts";
import { linear } from "../../src/ops/linear.ts";
import { softmaxCrossEntropy } from "../../src/ops/softmax-cross-entropy.ts";
import { descend, prepare } from "../descend.ts";
import { weight } from "../variables.ts";

/** How the choice of a slot is trained; all but soft read exactly one slot, and the best one at inference. */
export type LookupChoice = "soft" | "scoreFunction" | "gumbelSoftmax" | "straightThrough" | "argmax";

export interface LookupOptions {
  choice: LookupChoice;
  /** Optimiser steps. @default 400 */
  steps?: number;
  /** Of the parameters, the examples and the draws. @default 1 */
  seed?: number;
  onProgress?: (share: number) => void;
}

export interface LookupResult {
  /** The share of new examples whose class is right, 0 … 1; 0.21 is what reading any slot gives, 0.1 reading none. */
  accuracy: number;
}

const SLOTS = 8;
/** Each example draws its eight from these; with few an untrained model knows some by luck. */
const KEYS = 32;
const CLASSES = 10;
const WIDTH = 16;
const BATCH = 64;
const HELD_OUT = 1000;
const STREAM = { parameters: 1, training: 2, heldOut: 3 } as const;

interface LookupBatch {
  /** The key that is asked for, one-hot [B, 1, 32]. */
  query: tf.Tensor3D;
  /** The key in each slot, one-hot [B, 8, 32]. */
  keys: tf.Tensor3D;
  /** The class in each slot, one-hot [B, 8, 10]. */
  values: tf.Tensor3D;
  /** The class in the slot of the key that is asked for, [B]. */
  labels: tf.Tensor1D;
}

/** Eight slots with different keys and a random class each. */
function drawLookups(random: RandomStream, B: number): LookupBatch {
  const asked = new Int32Array(B);
  const keys = new Int32Array(B * SLOTS);
  const classes = new Int32Array(B * SLOTS);
  const labels = new Int32Array(B);
  for (let b = 0; b < B; b++) {
    const wanted = random.integer(SLOTS);
    const drawn = random.shuffle(Array.from({ length: KEYS }, (_, key) => key)).slice(0, SLOTS);
    drawn.forEach((key, slot) => {
      keys[b * SLOTS + slot] = key;
      classes[b * SLOTS + slot] = random.integer(CLASSES);
    });
    asked[b] = drawn[wanted]!;
    labels[b] = classes[b * SLOTS + wanted]!;
  }
  const oneHot = (ids: Int32Array, shape: number[], depth: number) =>
    tf.oneHot(tf.tensor(ids, shape, "int32"), depth, 1, 0, "float32") as tf.Tensor3D;
  return {
    query: oneHot(asked, [B, 1], KEYS),
    keys: oneHot(keys, [B, SLOTS], KEYS),
    values: oneHot(classes, [B, SLOTS], CLASSES),
    labels: tf.tensor1d(labels, "int32"),
  };
}

type Parameters = Record<"wq" | "wk" | "wv" | "wc", tf.Variable<tf.Rank.R2>>;

function initialParameters(seed: number): Parameters {
  const random = new RandomStream(seed, STREAM.parameters);
  const matrix = (rows: number, columns: number) =>
    weight<tf.Tensor2D>(random, [rows, columns], columns ** -0.5);
  return {
    wq: matrix(KEYS, WIDTH),
    wk: matrix(KEYS, WIDTH),
    wv: matrix(CLASSES, WIDTH),
    wc: matrix(WIDTH, CLASSES),
  };
}

/** The context [B, 1, WIDTH] of a choice that is a normaliser: one way in training, another at inference. */
function normalizerOf(choice: LookupChoice, seed: number | undefined) {
  if (choice === "soft") return softmax;
  if (seed === undefined || choice === "argmax") return hardmax;
  if (choice === "straightThrough") return (scores: tf.Tensor) => straightThrough(softmax(scores), { seed });
  return (scores: tf.Tensor) => gumbelSoftmax(scores, { seed, hard: true });
}

class Lookup {
  readonly parameters: Parameters;
  readonly #choice: LookupChoice;
  readonly #average = new MovingAverage();

  constructor(choice: LookupChoice, seed: number) {
    this.#choice = choice;
    this.parameters = initialParameters(seed);
  }

  #project({ query, keys, values }: LookupBatch) {
    const { wq, wk, wv } = this.parameters;
    return { queries: linear(query, wq), keys: linear(keys, wk), values: linear(values, wv) };
  }

  #classify(context: tf.Tensor): tf.Tensor2D {
    const rows = tf.reshape<tf.Rank.R2>(context, [-1, WIDTH]);
    return linear(rows, this.parameters.wc);
  }

  /** The logits of the classes [B, 10], choosing as at inference, or as in training where there is a seed. */
  logits(batch: LookupBatch, seed?: number): tf.Tensor2D {
    const normalize = normalizerOf(this.#choice, seed);
    return this.#classify(attend({ ...this.#project(batch), score: dotScore(), normalize }).output);
  }

  loss(batch: LookupBatch, seed: number): tf.Scalar {
    if (this.#choice !== "scoreFunction") {
      return tf.mean(softmaxCrossEntropy(this.logits(batch, seed), batch.labels));
    }
    const { queries, keys, values } = this.#project(batch);
    const [q, k, v] = [queries, keys, values].map((x) => tf.expandDims<tf.Tensor4D>(x, 1));
    const { output, index, weights } = sampledAttention(q!, k!, v!, { scale: 1, training: true, seed });
    const losses = softmaxCrossEntropy(this.#classify(output), batch.labels);
    const reward = tf.neg(losses);
    const baseline = { kind: "movingAverage", value: this.#average.value } as const;
    const choice = scoreFunctionLoss(logProbability(weights, index), reward, { baseline });
    this.#average.update(reward);
    return tf.add(tf.mean(losses), choice);
  }

  dispose(): void {
    tf.dispose(Object.values(this.parameters));
  }
}

/**
 * Learns to look up: which of eight slots holds the key that is asked for, and what class stands there. The same
 * options give the same metrics.
 */
export async function trainLookup(options: LookupOptions): Promise<LookupResult> {
  const { choice, steps = 400, seed = 1, onProgress } = options;
  await prepare();
  const model = new Lookup(choice, seed);
  const random = new RandomStream(seed, STREAM.training);
  const loss = (step: number) => model.loss(drawLookups(random, BATCH), step + 1);
  try {
    await descend(model.parameters, loss, { steps, learningRate: 0.01, onProgress });
    const right = tf.tidy(() => {
      const batch = drawLookups(new RandomStream(seed, STREAM.heldOut), HELD_OUT);
      const guesses = tf.argMax(model.logits(batch), 1);
      return tf.sum(tf.cast(tf.equal(guesses, batch.labels), "int32")).dataSync()[0]!;
    });
    return { accuracy: right / HELD_OUT };
  } finally {
    model.dispose();
  }
}
