import * as tf from "@tensorflow/tfjs-core";
import { hardCrop } from "../../src/attention/glimpse/index.ts";
import { RandomStream } from "../../src/core/random.ts";
import { linear } from "../../src/ops/linear.ts";
import { descend, prepare } from "../descend.ts";
import { constant, weight } from "../variables.ts";
import { CLASSES, GLYPH, type GlyphBatch, glyphBatch, PLACES } from "./glyphs.ts";

export interface PolicyOptions {
  /** @default 200 */
  steps?: number;
  /** @default 64 */
  batch?: number;
  /** @default 1 */
  seed?: number;
  /** Images that are measured. @default 500 */
  heldOut?: number;
  onProgress?: (share: number) => void;
}

export interface PolicyResult {
  /** The share of new images classified right, looking where the policy finds it likeliest. */
  accuracy: number;
  /** The same classifier looking anywhere. */
  anywhere: number;
}

type Policy = ReturnType<typeof makePolicy>;

/** Hidden channels of the policy and hidden units of the classifier. */
const [CHANNELS, UNITS] = [8, 48];

function makePolicy(random: RandomStream) {
  const weights = <T extends tf.Tensor>(...shape: number[]) => {
    const fanIn = shape.slice(0, -1).reduce((a, b) => a * b);
    return weight<T>(random, shape, Math.sqrt(2 / fanIn));
  };
  return {
    look: weights<tf.Tensor4D>(3, 3, 1, CHANNELS),
    judge: weights<tf.Tensor4D>(GLYPH, GLYPH, CHANNELS, 1),
    hidden: weights<tf.Tensor2D>(GLYPH * GLYPH, UNITS),
    hiddenBias: constant<tf.Tensor1D>([UNITS]),
    output: weights<tf.Tensor2D>(UNITS, CLASSES),
    outputBias: constant<tf.Tensor1D>([CLASSES]),
  };
}

/** A logit for every place of a glimpse: [N, PLACES²]. */
function placeLogits({ look, judge }: Policy, images: tf.Tensor4D): tf.Tensor2D {
  const features = tf.relu(tf.conv2d(images, look, 1, "same"));
  return tf.reshape(tf.conv2d(features, judge, 1, "valid"), [-1, PLACES * PLACES]);
}

/** The glimpse at a place, classified: log-probabilities [N, CLASSES]. */
function classify(policy: Policy, images: tf.Tensor4D, chosen: ArrayLike<number>): tf.Tensor2D {
  const [N] = images.shape;
  const numbers = Array.from(chosen);
  const y = tf.tensor1d(
    numbers.map((at) => Math.floor(at / PLACES)),
    "int32",
  );
  const x = tf.tensor1d(
    numbers.map((at) => at % PLACES),
    "int32",
  );
  const { output } = hardCrop(images, { y, x }, [GLYPH, GLYPH], { outside: "error" });
  const flat = tf.reshape(output, [N, GLYPH * GLYPH]) as tf.Tensor2D;
  const hidden = tf.relu(linear(flat, policy.hidden, policy.hiddenBias));
  return tf.logSoftmax(linear(hidden, policy.output, policy.outputBias));
}

/** One place for each row of logits, drawn from their softmax: the largest logit plus Gumbel noise. */
function draw(logits: tf.Tensor2D, random: RandomStream): ArrayLike<number> {
  return read(() => {
    const noise = Float32Array.from(
      { length: logits.size },
      () => -Math.log(-Math.log(random.uniform() + 2e-8)),
    );
    return tf.argMax(tf.add(logits, tf.tensor2d(noise, logits.shape)), 1);
  });
}

/**
 * A policy that learns where to look by the score function: it sees the image, chooses one hard crop, and a classifier
 * sees the crop alone. The crop has no gradient in its place; its log-probability times how much better than usual the
 * classifier did has.
 *
 *     ∇ E[r] = E[(r − b) ∇ log π(place | image)],    r = log p(class | crop), b its running mean
 *
 * The same options give the same metrics.
 */
export async function trainPolicy(options: PolicyOptions = {}): Promise<PolicyResult> {
  const { steps = 200, batch = 64, seed = 1, heldOut = 500, onProgress } = options;
  await prepare();
  const policy = makePolicy(new RandomStream(seed));
  const [data, places] = [new RandomStream(seed, 1), new RandomStream(seed, 2)];
  let usual = -Math.log(CLASSES);
  const loss = (k: number) => {
    const { images, classes } = glyphBatch(data, batch);
    const logits = placeLogits(policy, images);
    const chosen = draw(logits, places);
    const rewards = likelihood(classify(policy, images, chosen), classes);
    const received = Array.from(rewards.dataSync());
    const advantage = tf.tensor1d(received.map((reward) => reward - usual));
    usual += 0.1 * (received.reduce((a, b) => a + b) / batch - usual);
    const logPolicy = tf.logSoftmax(logits);
    const taken = tf.sum(
      tf.mul(logPolicy, tf.oneHot(tf.tensor1d(Array.from(chosen), "int32"), PLACES * PLACES)),
      1,
    );
    // A little entropy at first, so that the policy looks around before it settles.
    const entropy = tf.neg(tf.mean(tf.sum(tf.mul(tf.exp(logPolicy), logPolicy), 1)));
    const gain = tf.add(tf.mean(rewards), tf.mean(tf.mul(advantage, taken)));
    return tf.neg(tf.add(gain, tf.mul(entropy, 0.02 * (1 - k / steps)))) as tf.Scalar;
  };
  try {
    await descend(policy, loss, { steps, learningRate: 0.005, onProgress });
    return evaluate(policy, glyphBatch(new RandomStream(seed, 3), heldOut), places);
  } finally {
    tf.dispose(policy);
  }
}

/** log p of each example's class. */
function likelihood(logProbabilities: tf.Tensor2D, classes: Int32Array): tf.Tensor1D {
  return tf.sum(tf.mul(logProbabilities, tf.oneHot(tf.tensor1d(classes, "int32"), CLASSES)), 1);
}

function evaluate(policy: Policy, { images, classes }: GlyphBatch, random: RandomStream): PolicyResult {
  const right = (chosen: ArrayLike<number>) => {
    const guesses = read(() => tf.argMax(classify(policy, images, chosen), 1));
    return classes.filter((label, n) => label === guesses[n]).length / classes.length;
  };
  const chosen = read(() => tf.argMax(placeLogits(policy, images), 1));
  const anywhere = classes.map(() => random.integer(PLACES * PLACES));
  const result = { accuracy: right(chosen), anywhere: right(anywhere) };
  images.dispose();
  return result;
}

/** The numbers of a tensor that nobody needs afterwards. */
function read(f: () => tf.Tensor): ArrayLike<number> {
  return tf.tidy(() => f().dataSync());
}
