import * as tf from "@tensorflow/tfjs-core";
import { contextualGate } from "../../src/attention/feature/contextual-gate.ts";
import { RandomStream } from "../../src/core/random.ts";
import { linear } from "../../src/ops/linear.ts";
import { part } from "../claim.ts";
import { descend, prepare } from "../descend.ts";
import { meanOf } from "../statistics.ts";
import { constant, normal, weight } from "../variables.ts";

export interface ContextOptions {
  /** @default 1 */
  seed?: number;
  /** @default 250 */
  steps?: number;
  onProgress: (share: number) => void;
}

export interface ContextResult {
  /** Of new examples. */
  accuracy: number;
  /** Of the same readout without a gate, which must serve both contexts. */
  ungatedAccuracy: number;
  /** Mean gate of the half of the features that the context makes matter, the lower of the two contexts'. */
  relevantGate: number;
  /** Mean gate of the other half, the higher of the two contexts'. */
  irrelevantGate: number;
}

const FEATURES = 16;
const HALF = FEATURES / 2;
const BATCH = 256;
const HELD_OUT = 4096;

/**
 * A context of two values says which half of the features counts; the class is the sign of that half's sum. One
 * linear readout serves both contexts, behind a contextual gate.
 */
export async function learnContext(options: ContextOptions): Promise<ContextResult> {
  const { seed = 1, steps = 250, onProgress } = options;
  await prepare();
  const random = new RandomStream(seed, 0);
  const variables = {
    wx: constant<tf.Tensor2D>([FEATURES, FEATURES]),
    wc: weight<tf.Tensor2D>(random, [2, FEATURES], 0.1),
    b: constant<tf.Tensor1D>([FEATURES]),
    readout: weight<tf.Tensor2D>(random, [FEATURES, 1]),
    bias: constant<tf.Tensor1D>([1]),
  };
  const plain = { readout: weight<tf.Tensor2D>(random, [FEATURES, 1]), bias: constant<tf.Tensor1D>([1]) };
  const gateOf = ({ x, context }: Examples) => contextualGate(x, context, variables);
  const gated = (examples: Examples) => linear(gateOf(examples).output, variables.readout, variables.bias);
  const ungated = ({ x }: Examples) => linear(x, plain.readout, plain.bias);
  const train = (
    over: Record<string, tf.Variable>,
    answer: (examples: Examples) => tf.Tensor2D,
    at: number,
  ) => {
    const examples = new RandomStream(seed, 1);
    const loss = () => {
      const drawn = draw(examples, BATCH);
      // −ln σ(±logit)
      return tf.mean(tf.softplus(tf.mul(answer(drawn), tf.neg(drawn.sign)))) as tf.Scalar;
    };
    return descend(over, loss, { steps, learningRate: 0.03, onProgress: part(onProgress, at, 2) });
  };
  try {
    await train(variables, gated, 0);
    await train(plain, ungated, 1);
    return tf.tidy(() => {
      const fresh = draw(new RandomStream(seed, 2), HELD_OUT);
      const gate = gateOf(fresh).gate.dataSync();
      const which = fresh.context.dataSync();
      const meanGate = (context: number, relevant: boolean) =>
        meanOf(
          [...gate].filter((_, e) => {
            const row = Math.floor(e / FEATURES);
            const half = e % FEATURES < HALF ? 0 : 1;
            return which[2 * row + context] === 1 && (half === context) === relevant;
          }),
        );
      return {
        accuracy: share(gated(fresh), fresh.sign),
        ungatedAccuracy: share(ungated(fresh), fresh.sign),
        relevantGate: Math.min(meanGate(0, true), meanGate(1, true)),
        irrelevantGate: Math.max(meanGate(0, false), meanGate(1, false)),
      };
    });
  } finally {
    tf.dispose([variables, plain]);
  }
}

interface Examples {
  x: tf.Tensor2D;
  /** [B, 2], one of the two is 1. */
  context: tf.Tensor2D;
  /** [B, 1], the class as −1 or 1. */
  sign: tf.Tensor2D;
}

function draw(random: RandomStream, rows: number): Examples {
  const x = normal<tf.Tensor2D>(random, [rows, FEATURES]);
  const chosen = Int32Array.from({ length: rows }, () => random.integer(2));
  const values = x.dataSync();
  const signs = Float32Array.from(chosen, (context, row) => {
    const start = row * FEATURES + context * HALF;
    return [...values.slice(start, start + HALF)].reduce((a, b) => a + b, 0) > 0 ? 1 : -1;
  });
  const context = tf.cast(tf.oneHot(tf.tensor1d(chosen, "int32"), 2), "float32") as tf.Tensor2D;
  return { x, context, sign: tf.tensor2d(signs, [rows, 1]) };
}

/** The share of examples whose answer has the sign of their class. */
function share(answer: tf.Tensor2D, sign: tf.Tensor2D): number {
  return tf.mean(tf.cast(tf.greater(tf.mul(answer, sign), 0), "float32")).dataSync()[0]!;
}
