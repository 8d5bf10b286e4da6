import * as tf from "@tensorflow/tfjs-core";
import { doublyStochasticPenalty, softMask } from "../../src/attention/glimpse/index.ts";
import { RandomStream } from "../../src/core/random.ts";
import { linear } from "../../src/ops/linear.ts";
import { softmaxCrossEntropy } from "../../src/ops/softmax-cross-entropy.ts";
import { descend, prepare } from "../descend.ts";
import { weight } from "../variables.ts";

/** Pictures of 3 × 3 things of 4 kinds, and captions as long as there are things. */
const [SIDE, KINDS, T, C] = [3, 4, 9, 12];
const BATCH = 32;

export interface PenaltyOptions {
  /** λ of the penalty. */
  weight: number;
  /** @default 300 */
  steps?: number;
  onProgress?: (share: number) => void;
}

export interface PenaltyResult {
  /** The share of words that are right. */
  accuracy: number;
  /** max_i |1 − Σ_t α_ti|, the mean over pictures. */
  unevenness: number;
}

/** Pictures [N, 3, 3, 12], one channel for each kind in each row, and captions that name the first row three times. */
function pictures(random: RandomStream, N: number) {
  const pixels = new Float32Array(N * SIDE * SIDE * C);
  const words = new Int32Array(N * T);
  for (let n = 0; n < N; n++) {
    const kinds = Array.from({ length: SIDE * SIDE }, () => random.integer(KINDS));
    kinds.forEach((kind, i) => {
      pixels[(n * SIDE * SIDE + i) * C + Math.floor(i / SIDE) * KINDS + kind] = 1;
    });
    for (let t = 0; t < T; t++) words[n * T + t] = kinds[t % SIDE]!;
  }
  return { pixels: tf.tensor4d(pixels, [N, SIDE, SIDE, C]), words: tf.tensor1d(words, "int32") };
}

/**
 * Learns to caption pictures, one soft mask for each word, with a penalty of weight λ on masks that, over the caption,
 * forget some places and dwell on others. The captions speak of the first row only, so that without a penalty nothing
 * makes the model look at the others.
 */
export async function trainCaptions(options: PenaltyOptions): Promise<PenaltyResult> {
  const { weight: lambda, steps = 300, onProgress } = options;
  await prepare();
  const random = new RandomStream(1);
  const small = (...shape: [number, number]) => weight<tf.Tensor2D>(random, shape, 0.1);
  // f_φ: what stands at a place, and which place it is, for each word.
  const variables = { content: small(C, T), place: small(T, SIDE * SIDE), output: small(C, KINDS) };
  const forward = (pixels: tf.Tensor4D) => {
    const [N] = pixels.shape;
    const content = linear(pixels, variables.content);
    const place = tf.transpose(tf.reshape(variables.place, [T, SIDE, SIDE]), [1, 2, 0]);
    const logits = tf.reshape(tf.transpose(tf.add(content, place), [0, 3, 1, 2]), [N * T, SIDE, SIDE]);
    const repeated = tf.reshape(tf.tile(tf.expandDims(pixels, 1), [1, T, 1, 1, 1]), [
      N * T,
      SIDE,
      SIDE,
      C,
    ]) as tf.Tensor4D;
    const { output, map } = softMask(repeated, { logits: logits as tf.Tensor3D }, [1, 1]);
    const words = linear(tf.reshape<tf.Rank.R2>(output, [N * T, C]), variables.output);
    return { words, alpha: tf.reshape(map, [N, T, SIDE * SIDE]) };
  };
  const loss = () => {
    const { pixels, words } = pictures(random, BATCH);
    const said = forward(pixels);
    const error = tf.mean(softmaxCrossEntropy(tf.mul(said.words, 8), words));
    return tf.add(error, doublyStochasticPenalty(said.alpha, { weight: lambda })) as tf.Scalar;
  };
  try {
    await descend(variables, loss, { steps, learningRate: 0.05, onProgress });
    return tf.tidy(() => {
      const { pixels, words } = pictures(new RandomStream(1, 1), 200);
      const said = forward(pixels);
      const right = tf.mean(tf.cast(tf.equal(tf.argMax(said.words, 1), words), "float32"));
      const uneven = tf.mean(tf.max(tf.abs(tf.sub(1, tf.sum(said.alpha, 1))), 1));
      return { accuracy: right.dataSync()[0]!, unevenness: uneven.dataSync()[0]! };
    });
  } finally {
    tf.dispose(variables);
  }
}
