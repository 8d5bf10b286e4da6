/**
 * TensorFlow.js on its stock WebAssembly backend, which has one thread in Node. "composed" is what everyone writes:
 * matMul, softmax, matMul over all heads at once. "by heads" knows that only a plain product of two matrices reaches
 * the fast path of that backend, and goes head by head with transposed keys.
 */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-wasm";
import { inputsOf, scale } from "./cases.mjs";

/** @import { Peer } from "../contender.mjs" */
/** @import { Case } from "./cases.mjs" */
/** @typedef {import("@tensorflow/tfjs-core").Tensor3D} Tensor3D */

/** 0 where a query attends and −10⁴ elsewhere, [T, S]. */
function hiddenScores(/** @type {Case} */ { T, S, visible }) {
  const mask = new Float32Array(T * S);
  for (let i = 0; i < T; i++) for (let j = 0; j < S; j++) if (!visible(i, j)) mask[i * S + j] = -1e4;
  return tf.tensor2d(mask, [T, S]);
}

/** The query heads of one key head stand below each other as rows. @returns {() => tf.Tensor} */
function composed(
  /** @type {Case} */ c,
  /** @type {Tensor3D[]} */ [q, k, v],
  /** @type {tf.Tensor | undefined} */ mask,
) {
  return () => {
    const scores = tf.mul(tf.matMul(q, k, false, true), scale(c));
    return tf.matMul(tf.softmax(mask ? tf.add(scores, mask) : scores), v);
  };
}

/** @returns {() => tf.Tensor} */
function byHeads(
  /** @type {Case} */ c,
  /** @type {Tensor3D[]} */ tensors,
  /** @type {tf.Tensor | undefined} */ mask,
) {
  return () => {
    const [queries, keys, values] = tensors.map((x) => tf.unstack(x));
    const outputs = queries.map((q, g) => {
      const scores = tf.matMul(tf.mul(q, scale(c)), tf.transpose(keys[g]));
      return tf.matMul(tf.softmax(mask ? tf.add(scores, mask) : scores), values[g]);
    });
    return tf.stack(outputs);
  };
}

/** @returns {Promise<Peer>} */
export async function load(/** @type {{ route: "composed" | "by heads" }} */ { route }) {
  await tf.setBackend("wasm");
  return {
    versions: { "@tensorflow/tfjs-backend-wasm": tf.version_core },
    refuses: ({ pass }) => (pass === "backward" ? "measured forward only" : undefined),
    prepare(/** @type {Case} */ c) {
      const rows = (c.H / c.Hkv) * c.T;
      const { q, k, v } = inputsOf(c);
      const tensors = [
        tf.tensor3d(q, [c.Hkv, rows, c.D]),
        tf.tensor3d(k, [c.Hkv, c.S, c.D]),
        tf.tensor3d(v, [c.Hkv, c.S, c.D]),
      ];
      const mask = c.causal || c.window !== undefined ? hiddenScores(c) : undefined;
      const f = (route === "composed" ? composed : byHeads)(c, tensors, mask);
      const run = () => tf.dispose(tf.tidy(f));
      const output = () => /** @type {Float32Array} */ (tf.tidy(f).dataSync());
      return { route, run, output, dispose: () => tf.dispose([...tensors, ...(mask ? [mask] : [])]) };
    },
  };
}
