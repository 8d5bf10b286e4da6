import * as tf from "@tensorflow/tfjs-core";
import { adaptiveSpan, spanPenalty } from "../../attention/adaptive/index.ts";
import { RandomStream } from "../../core/random.ts";
import { loadGradients } from "../../host/gradients.ts";
import { useHeedBackend } from "../../host/select.ts";
import { linear } from "../../ops/linear.ts";
import { softmaxCrossEntropy } from "../../ops/softmax-cross-entropy.ts";
import { Adam } from "../../train/adam.ts";
import { namedGradients } from "../../train/named-gradients.ts";

export interface TwoDistancesOptions {
  /** λ of the penalty on spans. */
  penalty: number;
  /** Optimiser steps. @default 400 */
  steps?: number;
  /** Of the parameters and the sequences. @default 1 */
  seed?: number;
  /** Called after each step with its number from 1. */
  onStep?: (step: number) => void;
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
  /** z as a share of MAX_SPAN, [H]. */
  span: tf.Variable<tf.Rank.R1>;
  /** From both heads to the symbols at both distances, [H·8, 2·8]. */
  w: tf.Variable<tf.Rank.R2>;
};

function initialParameters(seed: number): Parameters {
  const random = new RandomStream(seed, STREAM.parameters);
  const normal = (rows: number, columns: number, deviation: number) =>
    tf.tidy(() =>
      tf.variable(
        tf.tensor2d(random.fillNormal(new Float32Array(rows * columns), 0, deviation), [rows, columns]),
      ),
    );
  return {
    logits: normal(HEADS, LENGTH, 0.1),
    span: tf.tidy(() => tf.variable(tf.fill([HEADS], 0.75) as tf.Tensor1D)),
    w: normal(HEADS * SYMBOLS, DISTANCES.length * SYMBOLS, 0.25),
  };
}

const spansOf = ({ span }: Parameters): tf.Tensor1D => tf.mul(span, MAX_SPAN);

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
 * options give the same figures.
 *
 * @example
 * const { accuracy, spans } = await trainTwoDistances({ penalty: 0.05, steps: 10 });
 */
export async function trainTwoDistances(options: TwoDistancesOptions): Promise<TwoDistancesResult> {
  const { penalty, steps = 400, seed = 1, onStep } = options;
  await loadGradients();
  await useHeedBackend();
  const parameters = initialParameters(seed);
  const adam = new Adam({ learningRate: 0.02 });
  // Spans move slowly, so that a head has found its symbol before its span is short.
  const spanAdam = new Adam({ learningRate: 0.002 });
  const random = new RandomStream(seed, STREAM.training);
  try {
    for (let step = 1; step <= steps; step++) {
      tf.tidy(() => {
        const batch = drawSequences(random, BATCH);
        const loss = (): tf.Scalar =>
          tf.add(
            tf.mean(softmaxCrossEntropy(predict(parameters, batch), batch.labels)),
            spanPenalty(spansOf(parameters), penalty),
          );
        const { span, ...grads } = namedGradients(parameters, loss).grads;
        adam.apply(grads, parameters);
        spanAdam.apply({ span: span! }, parameters);
        parameters.span.assign(tf.clipByValue(parameters.span, 0, 1));
      });
      onStep?.(step);
      if (step % 10 === 0) await new Promise((resolve) => setTimeout(resolve));
    }
    const accuracy = tf.tidy(() => {
      const batch = drawSequences(new RandomStream(seed, STREAM.heldOut), HELD_OUT);
      const guesses = tf.argMax(predict(parameters, batch), 1);
      const right = tf.sum(tf.cast(tf.equal(guesses, batch.labels), "int32")).dataSync()[0]!;
      return right / tf.sum(tf.cast(tf.greaterEqual(batch.labels, 0), "int32")).dataSync()[0]!;
    });
    return { accuracy, spans: [...tf.tidy(() => spansOf(parameters).dataSync())] };
  } finally {
    adam.dispose();
    spanAdam.dispose();
    tf.dispose(Object.values(parameters));
  }
}
