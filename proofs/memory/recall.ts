import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import type { MemoryKind } from "../../src/models/memory/memory-config.ts";
import { type LayerMemory, MemoryTransformer } from "../../src/models/memory/memory-transformer.ts";
import { softmaxCrossEntropy } from "../../src/ops/softmax-cross-entropy.ts";
import { tidyData } from "../../src/ops/tidy.ts";
import { descend, prepare } from "../descend.ts";

/** Tokens of a segment: all that the model sees without a memory. */
const WINDOW = 16;
/** Windows between a fact and the far question about it. */
const DISTANCE = 10;
const [KEYS, VALUES, NOISE] = [8, 8, 16];
/** Facts of a text, each of another key. They stand apart: the mean of two could not tell whose value is whose. */
const [FACTS, APART] = [3, 4];
/** Questions near the facts, in the first segment. */
const NEAR = 2;
/** A fact is one token, "key 3 is 5"; so is a question, "what is key 3?", which is answered by a value. */
const FIRST = {
  fact: 0,
  question: KEYS * VALUES,
  noise: KEYS * VALUES + KEYS,
  value: KEYS * VALUES + KEYS + NOISE,
};
const VOCABULARY = FIRST.value + VALUES;
/** What reaches back to the fact. The compressed memory has a slot for four tokens, all but those of the segment before. */
export const MEMORIES = {
  "transformer-xl": { kind: "recurrent", length: DISTANCE * WINDOW },
  compressive: {
    kind: "compressive",
    length: WINDOW,
    compressed: ((DISTANCE - 1) * WINDOW) / 4,
    rate: 4,
    by: "mean",
  },
  "compressive-convolution": {
    kind: "compressive",
    length: WINDOW,
    compressed: ((DISTANCE - 1) * WINDOW) / 4,
    rate: 4,
    by: "convolution",
  },
  memorizing: { kind: "neighbours", length: DISTANCE * WINDOW, neighbours: 4 },
} as const satisfies Record<string, MemoryKind>;

const BATCH = 16;
const HELD_OUT = 100;
const STREAM = { training: 2, heldOut: 3 } as const;

interface Texts {
  /** Segments in order, int32 [B, WINDOW] each. */
  segments: tf.Tensor2D[];
  /** The value that each token of the first and of the last segment asks for, [B·WINDOW]; −1 where it asks nothing. */
  near: Int32Array;
  far: Int32Array;
}

/** Facts and questions in the first segment, the same facts asked for in the last, and noise everywhere else. */
function drawTexts(random: RandomStream, B: number): Texts {
  const length = (DISTANCE + 1) * WINDOW;
  const ids = Int32Array.from({ length: B * length }, () => FIRST.noise + random.integer(NOISE));
  const [near, far] = [new Int32Array(B * WINDOW).fill(-1), new Int32Array(B * WINDOW).fill(-1)];
  const places = (n: number, from: number, to: number) =>
    random.shuffle(Array.from({ length: to - from }, (_, i) => from + i)).slice(0, n);
  for (let b = 0; b < B; b++) {
    const keys = random.shuffle(Array.from({ length: KEYS }, (_, key) => key)).slice(0, FACTS);
    const values = keys.map(() => random.integer(VALUES));
    for (let n = 0; n < FACTS; n++)
      ids[b * length + n * APART + random.integer(APART)] = FIRST.fact + keys[n]! * VALUES + values[n]!;
    const ask = (n: number, at: number, labels: Int32Array) => {
      const first = labels === near ? 0 : DISTANCE * WINDOW;
      ids[b * length + first + at] = FIRST.question + keys[n]!;
      labels[b * WINDOW + at] = FIRST.value + values[n]!;
    };
    for (const [n, at] of places(NEAR, FACTS * APART, WINDOW).entries()) ask(n, at, near);
    for (const [n, at] of places(FACTS, 0, WINDOW).entries()) ask(n, at, far);
  }
  const segments = Array.from({ length: DISTANCE + 1 }, (_, s) => {
    const rows = Array.from({ length: B }, (_, b) =>
      ids.subarray(b * length + s * WINDOW, b * length + (s + 1) * WINDOW),
    );
    return tf.tensor2d(
      rows.flatMap((row) => [...row]),
      [B, WINDOW],
      "int32",
    );
  });
  return { segments, near, far };
}

export interface RecallOptions {
  memory: MemoryKind;
  layers: number;
  /** Whether the memory goes on from a segment to the next; without it the model is the baseline. @default true */
  carries?: boolean;
  /** Optimiser steps. */
  steps: number;
  /** Of the parameters and the texts. @default 1 */
  seed?: number;
  onProgress?: (share: number) => void;
}

export interface RecallResult {
  /** The share of questions in the window of their fact that are answered right. */
  near: number;
  /** The share of those ten windows later; chance is 1/8. */
  far: number;
}

/**
 * Trains a Transformer to name what it read ten windows before, and in the window itself. The same options give the same
 * metrics.
 */
export async function trainRecall(options: RecallOptions): Promise<RecallResult> {
  const { memory, layers, carries = true, steps, seed = 1, onProgress } = options;
  await prepare();
  const model = new MemoryTransformer(
    { vocabulary: VOCABULARY, width: 32, heads: 2, layers, inner: 64, memory },
    seed,
  );
  const random = new RandomStream(seed, STREAM.training);
  const loss = () => {
    const texts = drawTexts(random, BATCH);
    const { first, last, compression } = read(model, texts, carries);
    const error = (logits: tf.Tensor2D, labels: Int32Array) =>
      tf.div(tf.sum(softmaxCrossEntropy(logits, tf.tensor1d(labels, "int32"))), BATCH * (NEAR + FACTS));
    return tf.addN([error(first, texts.near), error(last, texts.far), ...compression]) as tf.Scalar;
  };
  try {
    const given = { steps, learningRate: 0.003, clipNorm: 1, onProgress };
    const { parameters } = model;
    const learnsToCompress = memory.kind === "compressive" && memory.by === "convolution";
    // Where the memory is emptied nothing is compressed.
    const isIdle = learnsToCompress && !carries;
    await descend(isIdle ? parameters.without("layer/*/compress/*") : parameters.variables, loss, given);
    return tidyData(() => {
      const texts = drawTexts(new RandomStream(seed, STREAM.heldOut), HELD_OUT);
      const { first, last } = read(model, texts, carries);
      return { near: shareOfRight(first, texts.near), far: shareOfRight(last, texts.far) };
    });
  } finally {
    model.dispose();
  }
}

/** The logits of the first and of the last segment, [B·WINDOW, V], and what compressions lost on the way. */
function read(model: MemoryTransformer, { segments }: Texts, carries: boolean) {
  // Without a memory what stands between changes nothing.
  const seen = carries ? segments : [segments[0]!, segments.at(-1)!];
  let memory: readonly LayerMemory[] | undefined;
  const compression: tf.Scalar[] = [];
  const logits = seen.map((tokens) => {
    const result = model.read(tokens, carries ? memory : undefined);
    memory = result.memory;
    if (result.compression) compression.push(result.compression);
    return tf.reshape(result.logits, [-1, VOCABULARY]) as tf.Tensor2D;
  });
  return { first: logits[0]!, last: logits.at(-1)!, compression };
}

function shareOfRight(logits: tf.Tensor2D, labels: Int32Array): number {
  const guesses = tf.argMax(logits, 1).dataSync();
  const asked = [...labels.keys()].filter((n) => labels[n]! >= 0);
  return asked.filter((n) => guesses[n] === labels[n]).length / asked.length;
}
