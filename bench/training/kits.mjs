/** The parts of a network: of TensorFlow.js alone, composed as well as its stock kernels allow, and heed's. */
import * as tf from "@tensorflow/tfjs-core";
import { LAYER_NORM_EPSILON } from "./tasks.mjs";

/** @import { Kit } from "./programs.mjs" */

/** Composed from moments; tf.layers.layerNormalization tiles, and is far slower on the stock backend. */
function layerNorm(/** @type {any} */ x, /** @type {any} */ gamma, /** @type {any} */ beta) {
  const { mean, variance } = tf.moments(x, -1, true);
  const factor = tf.rsqrt(tf.add(variance, LAYER_NORM_EPSILON));
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean), factor), gamma), beta);
}

const gelu = (/** @type {any} */ x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));

function attention(/** @type {any} */ q, /** @type {any} */ k, /** @type {any} */ v) {
  const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(q.shape[3]));
  return tf.matMul(tf.softmax(scores), v);
}

const crossEntropy = (/** @type {any} */ logits, /** @type {any} */ labels) =>
  tf.losses.softmaxCrossEntropy(
    tf.oneHot(labels, logits.shape[1]),
    logits,
    undefined,
    undefined,
    tf.Reduction.NONE,
  );

/** The last state; the inputs' share of the gates, [T, B, 4H], is one product for all steps. */
function lstm(/** @type {any} */ gates, /** @type {any} */ state, /** @type {any} */ U) {
  let [h, c] = [state, state];
  for (const step of tf.unstack(gates)) {
    const [i, f, g, o] = tf.split(tf.add(step, tf.matMul(h, U)), 4, 1);
    c = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
    h = tf.mul(tf.sigmoid(o), tf.tanh(c));
  }
  return h;
}

/** @type {Kit} */
export const stockKit = { layerNorm, gelu, attention, crossEntropy, lstm };

/** heed's operations, composed ones where this build of heed has none. @returns {Promise<Kit>} */
export async function heedKit() {
  const ops = /** @type {any} */ (await import("../../dist/ops/index.js"));
  const { softAttention } = await import("../../dist/index.js");
  return {
    layerNorm: ops.layerNorm
      ? (/** @type {any} */ x, /** @type {any} */ gamma, /** @type {any} */ beta) =>
          ops.layerNorm(x, gamma, beta, { epsilon: LAYER_NORM_EPSILON })
      : layerNorm,
    gelu: ops.gelu ? (/** @type {any} */ x) => ops.gelu(x) : gelu,
    attention: (/** @type {any} */ q, /** @type {any} */ k, /** @type {any} */ v) =>
      softAttention(q, k, v).output,
    crossEntropy: ops.softmaxCrossEntropy,
    lstm(/** @type {any} */ gates, /** @type {any} */ state, /** @type {any} */ U) {
      const [states] = ops.lstmSequence(gates, state, state, U);
      return tf.squeeze(tf.slice(states, [gates.shape[0] - 1, 0, 0], [1, -1, -1]), [0]);
    },
  };
}
