/**
 * The networks in TensorFlow.js, as its users write them, over a kit of parts: TensorFlow.js' own operations, or
 * heed's where heed has better ones.
 */
import * as tf from "@tensorflow/tfjs-core";

/** @import { Task } from "./tasks.mjs" */
/** @typedef {Record<string, any>} Weights variables by name */
/** @typedef {{ x?: any, y?: any, tokens?: any, labels: any }} Data */
/** @typedef {{ layerNorm: Function, gelu: Function, attention: Function, crossEntropy: Function, lstm: Function, affine: Function, embed: Function, causal: Function }} Kit */
/** @typedef {(kit: Kit, w: Weights, data: Data, sizes: any) => tf.Scalar} Program */

/** A product over the last axis, as one product of two matrices. */
export function dense(/** @type {tf.Tensor} */ x, /** @type {tf.Tensor2D} */ w) {
  const rows = tf.reshape(x, [-1, w.shape[0]]);
  return tf.reshape(tf.matMul(rows, w), [...x.shape.slice(0, -1), w.shape[1]]);
}

/** x + attention(norm x), then + mlp(norm x): normalised before each part, as in GPT-2. @type {Program} */
function transformer({ layerNorm, gelu, attention }, w, { x, y }, { B, T, C, H }) {
  const heads = (/** @type {tf.Tensor} */ rows) =>
    tf.transpose(tf.reshape(rows, [B, T, H, C / H]), [0, 2, 1, 3]);
  const normed = layerNorm(x, w.gamma1, w.beta1);
  const mixed = attention(heads(dense(normed, w.q)), heads(dense(normed, w.k)), heads(dense(normed, w.v)));
  const joined = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [B, T, C]);
  const z = tf.add(x, dense(joined, w.o));
  const hidden = gelu(tf.add(dense(layerNorm(z, w.gamma2, w.beta2), w.f1), w.b1));
  const out = tf.add(z, tf.add(dense(hidden, w.f2), w.b2));
  return tf.mean(tf.squaredDifference(out, y));
}

/** The class of a sequence by the last state of a long short-term memory. @type {Program} */
function lstm(kit, w, { x, labels }, { B, H }) {
  const gates = tf.add(dense(x, w.W), w.b);
  const state = tf.zeros([B, H]);
  const last = kit.lstm(gates, state, w.U);
  return tf.mean(kit.crossEntropy(tf.add(tf.matMul(last, w.out), w.bias), labels));
}

/** The class of a picture. @type {Program} */
function conv({ crossEntropy }, w, { x, labels }, { B }) {
  function layer(/** @type {any} */ input, /** @type {any} */ filter, /** @type {any} */ bias) {
    const out = /** @type {tf.Tensor4D} */ (tf.relu(tf.add(tf.conv2d(input, filter, 1, "valid"), bias)));
    return tf.maxPool(out, 2, 2, "valid");
  }
  const flat = tf.reshape(layer(layer(x, w.w1, w.b1), w.w2, w.b2), [B, -1]);
  return tf.mean(crossEntropy(tf.add(tf.matMul(/** @type {any} */ (flat), w.out), w.bias), labels));
}

/** The next token by a decoder like GPT-2, whose embedding scores tokens too. @type {Program} */
function language(kit, w, { tokens, labels }, { layers, B, T, C, H, V }) {
  const { layerNorm, gelu, affine } = kit;
  const heads = (/** @type {tf.Tensor} */ rows) => tf.reshape(rows, [B, T, H, C / H]);
  let x = tf.add(tf.reshape(kit.embed(w.token, tokens), [B, T, C]), w.position);
  for (let layer = 0; layer < layers; layer++) {
    const at = (/** @type {string} */ name) => w[`${layer}/${name}`];
    const normed = layerNorm(x, at("gamma1"), at("beta1"));
    const [q, k, v] = ["q", "k", "v"].map((name) => heads(affine(normed, at(name), at(`b${name}`))));
    const mixed = tf.reshape(kit.causal(q, k, v), [B, T, C]);
    x = tf.add(x, affine(mixed, at("o"), at("bo")));
    const hidden = gelu(affine(layerNorm(x, at("gamma2"), at("beta2")), at("f1"), at("b1")));
    x = tf.add(x, affine(hidden, at("f2"), at("b2")));
  }
  const rows = tf.reshape(layerNorm(x, w.gamma, w.beta), [B * T, C]);
  const logits = tf.matMul(/** @type {any} */ (rows), w.token, false, true);
  return tf.mean(kit.crossEntropy(tf.reshape(logits, [B * T, V]), labels));
}

/** @type {Record<Task["kind"], Program>} */
export const PROGRAMS = { transformer, lstm, conv, language };
