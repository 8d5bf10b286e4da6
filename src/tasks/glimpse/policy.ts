import * as tf from "@tensorflow/tfjs-core";
import { hardCrop } from "../../attention/glimpse/index.ts";
import { RandomStream } from "../../core/random.ts";
import { loadGradients } from "../../host/gradients.ts";
import { useHeedBackend } from "../../host/select.ts";
import { linear } from "../../ops/linear.ts";
import { CLASSES, GLYPH, type GlyphBatch, glyphBatch, PLACES } from "./glyphs.ts";
import { minimise } from "./train.ts";

export interface PolicyOptions {
  /** @default 200 */
  steps?: number;
  /** @default 64 */
  batch?: number;
  /** @default 1 */
  seed?: number;
  /** Images that the figures are of. @default 500 */
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
  return tf.tidy(() => makeVariables(random));
}

function makeVariables(random: RandomStream) {
  const weights = (...shape: number[]) => {
    const fanIn = shape.slice(0, -1).reduce((a, b) => a * b);
    const values = random.fillNormal(new Float32Array(fanIn * shape.at(-1)!), 0, Math.sqrt(2 / fanIn));
    return tf.variable(tf.tensor(values, shape));
  };
  return {
    look: weights(3, 3, 1, CHANNELS) as tf.Variable<tf.Rank.R4>,
    judge: weights(GLYPH, GLYPH, CHANNELS, 1) as tf.Variable<tf.Rank.R4>,
    hidden: weights(GLYPH * GLYPH, UNITS) as tf.Variable<tf.Rank.R2>,
    hiddenBias: tf.variable(tf.zeros<tf.Rank.R1>([UNITS])),
    output: weights(UNITS, CLASSES) as tf.Variable<tf.Rank.R2>,
    outputBias: tf.variable(tf.zeros<tf.Rank.R1>([CLASSES])),
  };
}

/** A logit for every place of a glimpse: [N, PLACES²]. */
function placeLogits({ look, judge }: Policy, images: tf.Tensor4D): tf.Tensor2D {
  const features = tf.relu(tf.conv2d(images, look as unknown as tf.Tensor4D, 1, "same"));
  return tf.reshape(tf.conv2d(features, judge as unknown as tf.Tensor4D, 1, "valid"), [-1, PLACES * PLACES]);
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
  const hidden = tf.relu(linear(flat, policy.hidden as unknown as tf.Tensor2D, policy.hiddenBias));
  return tf.logSoftmax(linear(hidden, policy.output as unknown as tf.Tensor2D, policy.outputBias));
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
 * The same options give the same figures.
 *
 * @example
 * const { accuracy } = await trainPolicy({ steps: 1, heldOut: 10 });
 */
export async function trainPolicy(options: PolicyOptions = {}): Promise<PolicyResult> {
  const { steps = 200, batch = 64, seed = 1, heldOut = 500, onProgress } = options;
  await loadGradients();
  await useHeedBackend();
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
    await minimise({ variables: policy, loss, steps, learningRate: 0.005, onProgress });
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
