import * as tf from "@tensorflow/tfjs-core";
import { softAttention } from "../../src/attention/sequence/soft-attention.ts";
import {
  bigBirdAttention,
  fixedAttention,
  longformerAttention,
  lshAttention,
  nativeSparseAttention,
  stridedAttention,
  topKAttention,
} from "../../src/attention/sparse/index.ts";
import { RandomStream } from "../../src/core/random.ts";
import { useHeedBackend } from "../../src/host/select.ts";
import { tidyData } from "../../src/ops/tidy.ts";
import type { Metrics } from "../claim.ts";

const D = 64;
/** Values are one of this many. */
const CLASSES = 16;
const QUESTIONS = 256;
/** Keys on each side of a query that a window shows. */
const RADIUS = 256;
/** Factor of a cosine: two random directions of 64 dimensions among 4096 reach 0.6, e^(50·0.4) times below a match. */
const SHARPNESS = 50;
/** Of BigBird's blocks by default; its last one is global, so nobody asks there. */
const BLOCK = 64;
const STRIDE = 64;

interface Lookup {
  n: number;
  /** Positions that ask, scattered over the second half. */
  asking: readonly number[];
  /** Positions that they ask for, scattered over the first half. */
  answers: readonly number[];
  /** [1, 1, n, D]; those that ask have the key that they look for. */
  q: tf.Tensor4D;
  k: tf.Tensor4D;
  classes: readonly number[];
}

function draw(n: number, seed: number): Lookup {
  const random = new RandomStream(seed);
  const keys = unitVectors(random, n);
  const queries = unitVectors(random, n);
  const classes = Array.from({ length: n }, () => random.integer(CLASSES));
  // Position 0 is Longformer's class token; nobody asks for it, and no window reaches an answer.
  const some = (from: number, to: number) =>
    random.shuffle(Array.from({ length: to - from }, (_, at) => from + at)).slice(0, QUESTIONS);
  const answers = some(1, n / 2);
  const asking = some(n / 2 + RADIUS, n - BLOCK);
  for (const [m, at] of asking.entries()) {
    queries.set(keys.subarray(answers[m]! * D, (answers[m]! + 1) * D), at * D);
  }
  const [q, k] = [tf.tensor4d(queries, [1, 1, n, D]), tf.tensor4d(keys, [1, 1, n, D])];
  return { n, asking, answers, q, k, classes };
}

/** Attention of one layer whose pattern does not depend on the contents. */
type Layer = (q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D) => tf.Tensor4D;

const scale = SHARPNESS;
const window = { left: RADIUS, right: RADIUS };

/** Longformer with these global positions, whose projections are those of all. */
function longformer(positions: readonly number[]): Layer {
  return (q, k, v) => {
    const own = tf.gather<tf.Tensor4D>(q, tf.tensor1d([...positions], "int32"), 2);
    return longformerAttention(q, k, v, { scale, window, global: { positions, q: own, k, v } }).output;
  };
}

/** Patterns that see the same keys whatever stands there; BigBird and Longformer at their defaults. */
const PATTERNS: Readonly<Record<string, Layer>> = {
  window: (q, k, v) => softAttention(q, k, v, { scale, window }).output,
  strided: (q, k, v) => stridedAttention(q, k, v, { scale, stride: STRIDE }).output,
  fixed: (q, k, v) => fixedAttention(q, k, v, { scale, stride: STRIDE }).output,
  longformer: longformer([0]),
  bigBird: (q, k, v) => bigBirdAttention(q, k, v, { scale }).output,
};

/** Mechanisms that choose their keys by what these say. */
const BY_CONTENT: Readonly<Record<string, Layer>> = {
  dense: (q, k, v) => softAttention(q, k, v, { scale }).output,
  topK: (q, k, v) => topKAttention(q, k, v, { scale, k: 16 }).output,
  nativeSparse: (q, k, v) => {
    // The selected blocks alone; the other branches read a mean of keys, or a window.
    const gates = tf.tile(tf.tensor4d([0, 1, 0], [1, 1, 1, 3]), [1, 1, q.shape[2], 1]);
    const kv = { k, v };
    const branches = { compression: kv, selection: kv, window: kv };
    return nativeSparseAttention(q, branches, gates, { scale }).output;
  },
};

/** Reformer's queries are its keys: those that ask carry what they look for as their own key. */
function lsh({ asking, q, k }: Lookup, v: tf.Tensor4D): tf.Tensor4D {
  const shared = tf.tidy(() => {
    const asks = tf.scatterND(
      tf.tensor2d([...asking], [asking.length, 1], "int32"),
      tf.ones([asking.length]),
      [k.shape[2]],
    );
    const mask = tf.reshape(asks, [1, 1, -1, 1]);
    return tf.add<tf.Tensor4D>(tf.mul(q, mask), tf.mul(k, tf.sub(1, mask)));
  });
  return lshAttention(shared, v, { scale, rounds: 8 }).output;
}

/**
 * A long-range lookup, constructed and not trained: every position has a random direction as its key and a class as
 * its value; 256 positions of the second half, no two for the same, ask with the key of a position of the first half
 * and must answer with its class. One in 16 comes right by chance.
 *
 * `<mechanism>` is the share that one layer answers; `<mechanism>Reach` the share of questions that two layers of it
 * connect with their answer, whatever they learn to pass on.
 */
export async function longRangeLookup(
  onProgress: (share: number) => void,
  { n = 4096, seed = 1 } = {},
): Promise<Metrics> {
  await useHeedBackend();
  const lookup = draw(n, seed);
  const { q, k } = lookup;
  const values = tidyOneHot(lookup.classes, CLASSES);
  const metrics: Metrics = {};
  const layers = Object.entries({
    ...BY_CONTENT,
    lsh: (_q: tf.Tensor4D, _k: tf.Tensor4D, v: tf.Tensor4D) => lsh(lookup, v),
    ...PATTERNS,
    longformerAsking: longformer(lookup.asking),
  });
  for (const [at, [name, layer]] of layers.entries()) {
    metrics[name] = tidyData(() => shareRight(lookup, layer(q, k, values)));
    if (name in PATTERNS) metrics[`${name}Reach`] = tidyData(() => reach(lookup, layer));
    onProgress((at + 1) / layers.length);
    await new Promise((resolve) => setTimeout(resolve));
  }
  tf.dispose([q, k, values]);
  return metrics;
}

/** [1, 1, n, depth] */
function tidyOneHot(ids: readonly number[], depth: number): tf.Tensor4D {
  return tf.tidy(() => {
    const rows = tf.oneHot(tf.tensor1d([...ids], "int32"), depth, 1, 0, "float32");
    return tf.reshape<tf.Rank.R4>(rows, [1, 1, ids.length, depth]);
  });
}

/** The share of questions whose likeliest class is that of their answer. */
function shareRight({ asking, answers, classes }: Lookup, output: tf.Tensor4D): number {
  const said = tf.argMax(output, 3).dataSync();
  return asking.filter((at, m) => said[at] === classes[answers[m]!]).length / asking.length;
}

/** The share of questions that something of their answer's place comes to through two layers of even weights. */
function reach({ n, asking, answers }: Lookup, layer: Layer): number {
  const even = tf.zeros<tf.Rank.R4>([1, 1, n, D]);
  const marks = tidyOneHot(
    Array.from({ length: n }, (_, t) => answers.indexOf(t)),
    QUESTIONS,
  );
  const arrived = layer(even, even, layer(even, even, marks)).dataSync();
  return asking.filter((at, m) => arrived[at * QUESTIONS + m]! > 0).length / asking.length;
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
