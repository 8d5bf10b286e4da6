import * as tf from "@tensorflow/tfjs-core";
import { luongLocalAttention } from "../../src/attention/sequence/index.ts";
import { RandomStream } from "../../src/core/random.ts";
import { softmaxCrossEntropy } from "../../src/ops/softmax-cross-entropy.ts";
import { descend, prepare } from "../descend.ts";
import { weight } from "../variables.ts";

export interface MonotoneOptions {
  /** Optimiser steps. @default 400 */
  steps?: number;
  /** Examples a step. @default 32 */
  batch?: number;
  /** Of the parameters and the examples. @default 1 */
  seed?: number;
  /** Keys seen on each side of p_t. @default 3 */
  radius?: number;
  onProgress?: (share: number) => void;
}

export interface MonotoneResult {
  /** Mean of |p_t − t| over the steps of new examples. */
  distance: number;
  /** The same before training. */
  untrained: number;
  /** Share of steps whose most likely word is that at position t. */
  accuracy: number;
}

/** Words, the longest example, width of a word's code, hidden units of the position's network. */
const [WORDS, LONGEST, C, A] = [12, 20, 16, 16];
const SHORTEST = 8;
const HELD_OUT = 100;

/** Examples of several lengths; the query of step t knows how far it has come, t of the length. */
function draw(random: RandomStream, batch: number) {
  const lengths = Array.from({ length: batch }, () => SHORTEST + random.integer(LONGEST - SHORTEST + 1));
  const words = Int32Array.from({ length: batch * LONGEST }, () => random.integer(WORDS));
  const share = Float32Array.from(words, (_, n) => (n % LONGEST) / lengths[Math.floor(n / LONGEST)]!);
  const progress = tf.tensor3d(share, [batch, LONGEST, 1]);
  return { lengths, words, queries: tf.concat([progress, tf.onesLike(progress)], 2) };
}

/**
 * Monotone data: word t of the answer is word t of the source. Nothing tells local-p its position p_t but the error of
 * the word it reads there: the gradient of the Gaussian around p_t.
 */
export async function learnMonotone(options: MonotoneOptions = {}): Promise<MonotoneResult> {
  const { steps = 400, batch = 32, seed = 1, radius = 3, onProgress } = options;
  await prepare();
  const start = new RandomStream(seed, 0);
  const parameters = {
    words: weight<tf.Tensor2D>(start, [WORDS, C], 0.5),
    wp: weight<tf.Tensor2D>(start, [2, A], 1),
    vp: weight<tf.Tensor1D>(start, [A], 0.3),
    out: weight<tf.Tensor2D>(start, [C, WORDS], 0.3),
  };
  const run = ({ lengths, words, queries }: ReturnType<typeof draw>) => {
    const n = lengths.length;
    const values = tf.gather(parameters.words, tf.tensor2d(words, [n, LONGEST], "int32")) as tf.Tensor3D;
    // Keys that say nothing: where to look is the position's to find.
    const inputs = { queries: queries as tf.Tensor3D, keys: tf.zeros<tf.Rank.R3>([n, LONGEST, 2]), values };
    const mask = { queryLengths: lengths, keyLengths: lengths };
    const { output, positions } = luongLocalAttention(inputs, parameters, { radius, mask });
    return { logits: tf.matMul(tf.reshape(output, [n * LONGEST, C]), parameters.out), positions };
  };
  const measure = () =>
    tf.tidy(() => {
      const data = draw(new RandomStream(seed, 2), HELD_OUT);
      const { logits, positions } = run(data);
      const [p, most] = [positions.dataSync(), tf.argMax(logits, -1).dataSync()];
      let [steps, away, right] = [0, 0, 0];
      for (const [n, word] of data.words.entries()) {
        const t = n % LONGEST;
        if (t >= data.lengths[Math.floor(n / LONGEST)]!) continue;
        steps++;
        away += Math.abs(p[n]! - t);
        right += Number(most[n] === word);
      }
      return { distance: away / steps, accuracy: right / steps };
    });
  const random = new RandomStream(seed, 1);
  const loss = () => {
    const data = draw(random, batch);
    const { logits } = run(data);
    // A label below 0 does not count.
    const labels = data.words.map((word, n) =>
      n % LONGEST < data.lengths[Math.floor(n / LONGEST)]! ? word : -1,
    );
    const total = data.lengths.reduce((sum, length) => sum + length, 0);
    return tf.div(
      tf.sum(softmaxCrossEntropy(logits as tf.Tensor2D, tf.tensor1d(labels, "int32"))),
      total,
    ) as tf.Scalar;
  };
  try {
    const { distance: untrained } = measure();
    await descend(parameters, loss, { steps, learningRate: 0.02, clipNorm: 1, onProgress });
    return { ...measure(), untrained };
  } finally {
    tf.dispose(parameters);
  }
}
