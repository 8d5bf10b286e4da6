import * as tf from "@tensorflow/tfjs-core";
import { checkRank, checkTensors } from "../../ops/check.ts";
import { tidy } from "../../ops/tidy.ts";
import { weightSizes } from "./check.ts";

/**
 * Reading: the mean of the slots, weighted.
 *
 *     r = Σ_i w(i) M(i)
 *
 * Symbols: w the weights of a head, M(i) slot i. Shapes: memory [B, S, D], weights [B, H, S] → [B, H, D].
 * Conventions: every head reads the same memory. Cost: O(B·H·S·D).
 * Paper: Graves, Wayne & Danihelka 2014, §3.1, (2), arxiv.org/abs/1410.5401.
 *
 * @throws ShapeError RANK, SHAPE
 * @example
 * readSlots(tf.tensor3d([[[1, 2], [3, 4]]]), tf.tensor3d([[[0.5, 0.5]]])); // [[[2, 3]]]
 */
export function readSlots(memory: tf.Tensor3D, weights: tf.Tensor3D): tf.Tensor3D {
  checkMemory("readSlots", memory, weights);
  return tf.matMul(weights, memory);
}

/**
 * Writing: each head erases what stands where it looks, and adds something there.
 *
 *     M'(i) = M(i) ⊙ Π_h (1 − w_h(i) e_h) + Σ_h w_h(i) a_h
 *
 * Symbols: M(i) slot i, w_h the weights of head h, e_h what it erases, from 0 (nothing) to 1 (all) in each column, a_h what
 * it adds. Shapes: memory [B, S, D], weights [B, H, S], erase and add [B, H, D] → [B, S, D].
 * Conventions: all heads erase before any adds, so their order does not matter. Where w or e is 0 a slot stays as it is, to
 * the bit where nothing is added either.
 * Cost: O(B·H·S·D). Paper: Graves, Wayne & Danihelka 2014, §3.2, (3) and (4), arxiv.org/abs/1410.5401.
 *
 * @throws ShapeError RANK, SHAPE
 * @draws
 * const at = (n) => [...Array(24).keys()].map((i) => Math.exp(-((i - n) ** 2) / 4));
 * const column = (test) => [...Array(24).keys()].map((d) => (test(d) ? 1 : 0));
 * const [left, right] = [column((d) => d < 12), column((d) => d >= 12)];
 * return eraseAndAdd(tf.fill([1, 24, 24], 0.4), tf.tensor3d([[at(7), at(16)]]), tf.tensor3d([[left, right]]), tf.tensor3d([[right, left]]));
 * @example
 * const memory = tf.tensor3d([[[1, 2], [3, 4]]]);
 * const [erase, add] = [tf.tensor3d([[[1, 0]]]), tf.tensor3d([[[10, 20]]])];
 * eraseAndAdd(memory, tf.tensor3d([[[0, 0.5]]]), erase, add); // [[[1, 2], [6.5, 14]]]
 */
export function eraseAndAdd(
  memory: tf.Tensor3D,
  weights: tf.Tensor3D,
  erase: tf.Tensor3D,
  add: tf.Tensor3D,
): tf.Tensor3D {
  const op = "eraseAndAdd";
  const { B, H, S, D } = checkMemory(op, memory, weights);
  const perHead = { letters: "[B, H, D]", shape: [B, H, D] };
  checkTensors(op, [
    { name: "erase", tensor: erase, ...perHead },
    { name: "add", tensor: add, ...perHead },
  ]);
  return tidy(() => {
    const added = tf.matMul(weights, add, true);
    if (H === 1)
      return tf.add<tf.Tensor3D>(tf.sub(memory, tf.mul(memory, tf.matMul(weights, erase, true))), added);
    const left = tf.sub(1, tf.mul(tf.expandDims(weights, 3), tf.expandDims(erase, 2)));
    const kept = tf
      .split(left, H, 1)
      .reduce<tf.Tensor3D>((before, one) => tf.mul(before, tf.reshape(one, [B, S, D])), memory);
    return tf.add<tf.Tensor3D>(kept, added);
  });
}

function checkMemory(op: string, memory: tf.Tensor3D, weights: tf.Tensor3D) {
  checkRank(op, "memory [B, S, D]", memory, 3);
  const { B, H, S } = weightSizes(op, "weights", weights);
  const D = memory.shape[2];
  checkTensors(op, [{ name: "memory", tensor: memory, letters: "[B, S, D]", shape: [B, S, D] }]);
  return { B, H, S, D };
}
