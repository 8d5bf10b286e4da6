import * as tf from "@tensorflow/tfjs-core";
import { softAttention } from "../../attention/sequence/soft-attention.ts";
import { bigBirdAttention } from "../../attention/sparse/big-bird.ts";
import { longformerAttention } from "../../attention/sparse/longformer.ts";
import { topKAttention } from "../../attention/sparse/top-k.ts";
import { RandomStream } from "../../core/random.ts";
import { useHeedBackend } from "../../host/select.ts";

export interface LookupOptions {
  /** Positions. @default 4096 */
  n?: number;
  /** @default 1 */
  seed?: number;
}

/** The share of questions answered right, by mechanism. */
export type LookupResult = Record<"dense" | "window" | "longformer" | "bigBird" | "topK", number>;

const D = 64;
/** Values are one of this many. */
const CLASSES = 16;
/** The last positions ask, each for one of the first half. */
const QUESTIONS = 64;
const WINDOW = 256;
/** Factor of a cosine: two random directions of 64 dimensions among 4096 reach 0.6, e^(50·0.4) times below a match. */
const SHARPNESS = 50;

/**
 * A long-range lookup, constructed and not trained: every position has a random direction as its key and a class as
 * its value; each of the last 64 asks with the key of a position in the first half, and must answer with its class.
 *
 * @example
 * const { window, longformer } = await longRangeLookup({ n: 1024 });
 * longformer; // 1
 */
export async function longRangeLookup({ n = 4096, seed = 1 }: LookupOptions = {}): Promise<LookupResult> {
  await useHeedBackend();
  const random = new RandomStream(seed);
  const keys = unitVectors(random, n);
  const queries = unitVectors(random, n);
  const classes = Array.from({ length: n }, () => random.integer(CLASSES));
  const asked = Array.from({ length: QUESTIONS }, () => random.integer(n / 2));
  const first = n - QUESTIONS;
  asked.forEach((at, m) => {
    queries.set(keys.subarray(at * D, (at + 1) * D), (first + m) * D);
  });
  return tf.tidy(() => {
    const [q, k] = [tf.tensor4d(queries, [1, 1, n, D]), tf.tensor4d(keys, [1, 1, n, D])];
    const v = tf.reshape(tf.oneHot(tf.tensor1d(classes, "int32"), CLASSES), [1, 1, n, CLASSES]);
    const values = tf.cast(v, "float32") as tf.Tensor4D;
    const scale = SHARPNESS;
    const right = ({ output }: { output: tf.Tensor4D }) => {
      const said = tf.argMax(tf.slice(output, [0, 0, first, 0], [1, 1, QUESTIONS, CLASSES]), 3).dataSync();
      return asked.filter((at, m) => said[m] === classes[at]).length / QUESTIONS;
    };
    const window = { left: WINDOW, right: WINDOW };
    const positions = asked.map((_, m) => first + m);
    const own = tf.slice(q, [0, 0, first, 0], [1, 1, QUESTIONS, D]);
    const global = { positions, q: own, k, v: values };
    return {
      dense: right(softAttention(q, k, values, { scale })),
      window: right(softAttention(q, k, values, { scale, window })),
      longformer: right(longformerAttention(q, k, values, { scale, window, global })),
      bigBird: right(bigBirdAttention(q, k, values, { scale, block: QUESTIONS })),
      topK: right(topKAttention(q, k, values, { scale, k: 16 })),
    };
  });
}

/** Random directions, a row each. */
function unitVectors(random: RandomStream, count: number): Float32Array {
  const rows = Float32Array.from({ length: count * D }, () => random.normal());
  for (let row = 0; row < count; row++) {
    const own = rows.subarray(row * D, (row + 1) * D);
    const length = Math.hypot(...own);
    for (let d = 0; d < D; d++) own[d]! /= length;
  }
  return rows;
}
