import * as tf from "@tensorflow/tfjs-core";
import { adaptiveSpan, spanPenalty } from "../../src/attention/adaptive/index.ts";
import { RandomStream } from "../../src/core/random.ts";
import { linear } from "../../src/ops/linear.ts";
import { softmaxCrossEntropy } from "../../src/ops/softmax-cross-entropy.ts";
import { descend, prepare } from "../descend.ts";
import { constant, weight } from "../variables.ts";

export interface TwoDistancesOptions {
  /** λ of the penalty on spans. */
  penalty: number;
  /** Optimiser steps. @default 400 */
  steps?: number;
  /** Of the parameters and the sequences. @default 1 */
  seed?: number;
  onProgress?: (share: number) => void;
}

export interface TwoDistancesResult {
  /** The share of symbols that are right in new sequences, 0 … 1; chance is 1/8. */
  accuracy: number;
  /** The learned span of each head, in keys. */
  spans: readonly number[];
}

const SYMBOLS = 8;
const LENGTH = 24;
/** How far back the two symbols stand that every position has to name. */
const DISTANCES = [1, 9] as const;
const HEADS = DISTANCES.length;
const MAX_SPAN = 18;
const RAMP = 4;
/** Keys that a span moves by at a change of 1: little, so that a head has found its symbol before its span is short. */
const UNIT = 1.8;
const BATCH = 16;
const HELD_OUT = 64;
const STREAM = { parameters: 1, training: 2, heldOut: 3 } as const;

interface Sequences {
  /** One-hot [B, 1, T, 8]. */
  symbols: tf.Tensor4D;
  /** The symbol at each distance before each position, [2·B·T]; −1 where there is none. */
  labels: tf.Tensor1D;
}

function drawSequences(random: RandomStream, B: number): Sequences {
  const ids = Int32Array.from({ length: B * LENGTH }, () => random.integer(SYMBOLS));
  const labels = DISTANCES.flatMap((distance) =>
    Array.from(ids, (_, e) => (e % LENGTH >= distance ? ids[e - distance]! : -1)),
  );
  const oneHot = tf.oneHot(tf.tensor1d(ids, "int32"), SYMBOLS, 1, 0, "float32");
  return {
    symbols: tf.reshape(oneHot, [B, 1, LENGTH, SYMBOLS]),
    labels: tf.tensor1d(labels, "int32"),
  };
}

type Parameters = {
  /** A logit for each distance, [H, T]: what a head looks for, besides its span. */
  logits: tf.Variable<tf.Rank.R2>;
  /** z in units of UNIT keys, [H]. */
  span: tf.Variable<tf.Rank.R1>;
  /** From both heads to the symbols at both distances, [H·8, 2·8]. */
  w: tf.Variable<tf.Rank.R2>;
};

function initialParameters(seed: number): Parameters {
  const random = new RandomStream(seed, STREAM.parameters);
  return {
    logits: weight(random, [HEADS, LENGTH], 0.1),
    span: constant([HEADS], (0.75 * MAX_SPAN) / UNIT),
    w: weight(random, [HEADS * SYMBOLS, DISTANCES.length * SYMBOLS], 0.25),
  };
}

const spansOf = ({ span }: Parameters): tf.Tensor1D => tf.mul(span, UNIT);

/** Logits of the symbols [2·B·T, 8]: two heads that look back by distance alone, and a linear map of both. */
function predict(parameters: Parameters, { symbols }: Sequences): tf.Tensor2D {
  const B = symbols.shape[0];
  const nothing = tf.zeros<tf.Rank.R4>([B, HEADS, LENGTH, 1]);
  const back = Int32Array.from({ length: LENGTH * LENGTH }, (_, e) =>
    Math.max(0, Math.floor(e / LENGTH) - (e % LENGTH)),
  );
  const byDistance = tf.gather(parameters.logits, tf.tensor2d(back, [LENGTH, LENGTH], "int32"), 1);
  const { output } = adaptiveSpan(
    nothing,
    nothing,
    tf.tile(symbols, [1, HEADS, 1, 1]),
    { z: spansOf(parameters) },
    { bias: tf.expandDims(byDistance, 0), causal: true, ramp: RAMP, maxSpan: MAX_SPAN },
  );
  const heads = tf.reshape<tf.Rank.R3>(tf.transpose(output, [0, 2, 1, 3]), [B, LENGTH, HEADS * SYMBOLS]);
  const both = tf.reshape(linear(heads, parameters.w), [B * LENGTH, DISTANCES.length, SYMBOLS]);
  return tf.reshape(tf.transpose(both, [1, 0, 2]), [DISTANCES.length * B * LENGTH, SYMBOLS]);
}

/**
 * Trains two heads to name the symbols 1 and 9 positions back, and measures the spans that they learn. The same
 * options give the same metrics.
 */
export async function trainTwoDistances(options: TwoDistancesOptions): Promise<TwoDistancesResult> {
  const { penalty, steps = 400, seed = 1, onProgress } = options;
  await prepare();
  const parameters = initialParameters(seed);
  const random = new RandomStream(seed, STREAM.training);
  const loss = () => {
    const batch = drawSequences(random, BATCH);
    const error = tf.mean(softmaxCrossEntropy(predict(parameters, batch), batch.labels));
    return tf.add<tf.Scalar>(error, spanPenalty(spansOf(parameters), penalty));
  };
  const { span } = parameters;
  const clip = () => tf.tidy(() => span.assign(tf.clipByValue(span, 0, MAX_SPAN / UNIT)));
  try {
    await descend(parameters, loss, { steps, learningRate: 0.02, onStep: clip, onProgress });
    const accuracy = tf.tidy(() => {
      const batch = drawSequences(new RandomStream(seed, STREAM.heldOut), HELD_OUT);
      const guesses = tf.argMax(predict(parameters, batch), 1);
      const right = tf.sum(tf.cast(tf.equal(guesses, batch.labels), "int32")).dataSync()[0]!;
      return right / tf.sum(tf.cast(tf.greaterEqual(batch.labels, 0), "int32")).dataSync()[0]!;
    });
    return { accuracy, spans: [...tf.tidy(() => spansOf(parameters).dataSync())] };
  } finally {
    tf.dispose(parameters);
  }
}
