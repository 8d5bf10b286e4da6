/** The parts of a network: of TensorFlow.js alone, composed as well as its stock kernels allow, and heed's. */
import * as tf from "@tensorflow/tfjs-core";
import { dense } from "./programs.mjs";
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

/** Heads stand after positions, [B, T, H, D]; no query sees a later key. */
function causal(/** @type {any} */ q, /** @type {any} */ k, /** @type {any} */ v) {
  const [, T, , D] = q.shape;
  const [a, b, c] = [q, k, v].map((heads) => tf.transpose(heads, [0, 2, 1, 3]));
  const scores = tf.mul(tf.matMul(a, b, false, true), 1 / Math.sqrt(D));
  const mixed = tf.matMul(tf.softmax(tf.add(scores, triangle(T))), c);
  return tf.transpose(mixed, [0, 2, 1, 3]);
}

/** @type {Map<number, any>} */
const triangles = new Map();

/** −10⁹ for later keys and 0 for the others, [T, T]: made once. */
function triangle(/** @type {number} */ T) {
  const made = () => {
    const values = Float32Array.from({ length: T * T }, (_, n) => (n % T > Math.floor(n / T) ? -1e9 : 0));
    return tf.keep(tf.tensor2d(values, [T, T]));
  };
  const kept = triangles.get(T) ?? made();
  triangles.set(T, kept);
  return kept;
}

const affine = (/** @type {any} */ x, /** @type {any} */ w, /** @type {any} */ b) => tf.add(dense(x, w), b);

/** A product: the stock backend has no gradient of a gather, and writes integers where oneHot is to be of floats. */
const embed = (/** @type {any} */ table, /** @type {any} */ tokens) =>
  tf.matMul(tf.cast(tf.oneHot(tokens, table.shape[0]), "float32"), table);

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
export const stockKit = { layerNorm, gelu, attention, crossEntropy, lstm, affine, embed, causal };

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
    affine: ops.linear,
    embed: (/** @type {any} */ table, /** @type {any} */ tokens) => tf.gather(table, tokens),
    causal: (/** @type {any} */ q, /** @type {any} */ k, /** @type {any} */ v) =>
      ops.attention(q, k, v, { causal: true, layout: "bthd" }).output,
    lstm(/** @type {any} */ gates, /** @type {any} */ state, /** @type {any} */ U) {
      const [states] = ops.lstmSequence(gates, state, state, U);
      return tf.squeeze(tf.slice(states, [gates.shape[0] - 1, 0, 0], [1, -1, -1]), [0]);
    },
  };
}
