import * as tf from "@tensorflow/tfjs-core";
import { persistentMemoryAttention } from "../../src/attention/memory/persistent-memory.ts";
import { RandomStream } from "../../src/core/random.ts";
import { attention } from "../../src/ops/attention.ts";
import { linear } from "../../src/ops/linear.ts";
import { softmaxCrossEntropy } from "../../src/ops/softmax-cross-entropy.ts";
import { descend, descendUntilSettled, prepare } from "../descend.ts";
import { normal, weight } from "../variables.ts";

export interface FactsLearnt {
  /** The share of names whose class it knows; chance is 1/8. */
  known: number;
  steps: number;
  /** Whether it stopped improving. */
  settled: boolean;
}

export interface FactsOptions {
  /** Learned slots of each head; 0 leaves attention alone. */
  slots: number;
  /** Optimiser steps. @default 150 */
  steps?: number;
  /** Whether it trains until it stops improving; `steps` are then the most at one rate. @default false */
  untilSettled?: boolean;
  /** Of the names, their classes and the parameters. @default 1 */
  seed?: number;
  onProgress?: (share: number) => void;
}

/** Names that are asked for, each with a class that no text says. */
const FACTS = 1024;
const CLASSES = 8;
/** Width of a name, a vector that stays as it was drawn: what is learned is not kept in embeddings. */
const WIDTH = 8;
const [HEADS, D] = [4, 16];
type Slots = tf.Variable & tf.Tensor3D;
const STREAM = { names: 1, classes: 2, parameters: 3 } as const;

/** Steps between two readings of the share of a layer that trains until it stops improving. */
const EVERY = 50;

/** Teaches a layer of attention the class of each name: every token sees itself, so that only what was learned can answer. */
export async function trainFacts({
  slots,
  steps = 150,
  untilSettled = false,
  seed = 1,
  onProgress,
}: FactsOptions): Promise<FactsLearnt> {
  await prepare();
  const random = new RandomStream(seed, STREAM.parameters);
  const matrix = (rows: number, columns: number) => weight<tf.Tensor2D>(random, [rows, columns]);
  const maps = {
    ...{ wq: matrix(WIDTH, HEADS * D), wk: matrix(WIDTH, HEADS * D), wv: matrix(WIDTH, HEADS * D) },
    wo: matrix(HEADS * D, CLASSES),
  };
  const slotsOf = () => weight<tf.Tensor3D>(random, [HEADS, slots, D], 1);
  const memory: { mk?: Slots; mv?: Slots } = slots > 0 ? { mk: slotsOf(), mv: slotsOf() } : {};
  const names = tf.keep(normal<tf.Tensor3D>(new RandomStream(seed, STREAM.names), [1, FACTS, WIDTH]));
  const classes = new RandomStream(seed, STREAM.classes);
  const labels = tf.tensor1d(
    Int32Array.from({ length: FACTS }, () => classes.integer(CLASSES)),
    "int32",
  );
  const heads = (w: tf.Tensor2D): tf.Tensor4D =>
    tf.transpose(tf.reshape(linear(names, w), [1, FACTS, HEADS, D]), [0, 2, 1, 3]);
  const logits = () => {
    const [q, k, v] = [heads(maps.wq), heads(maps.wk), heads(maps.wv)];
    const itself = { window: { left: 0, right: 0 } };
    const { mk, mv } = memory;
    const { output } =
      mk && mv ? persistentMemoryAttention(q, k, v, { mk, mv }, itself) : attention(q, k, v, itself);
    return linear(tf.reshape(tf.transpose(output, [0, 2, 1, 3]), [FACTS, HEADS * D]) as tf.Tensor2D, maps.wo);
  };
  try {
    const loss = () => tf.mean(softmaxCrossEntropy(logits(), labels)) as tf.Scalar;
    const known = () =>
      tf.tidy(() => tf.mean(tf.cast(tf.equal(tf.argMax(logits(), 1), labels), "float32")).dataSync()[0]!);
    const given = { steps, learningRate: 0.02, onProgress };
    const variables = { ...maps, ...memory };
    // All names are trained on and asked for: no error of a sample.
    const until = { score: known, every: EVERY };
    const went = untilSettled ? await descendUntilSettled(variables, loss, { ...given, until }) : undefined;
    if (!went) await descend(variables, loss, given);
    return { known: known(), steps, settled: false, ...went };
  } finally {
    tf.dispose([names, labels, maps, memory]);
  }
}
