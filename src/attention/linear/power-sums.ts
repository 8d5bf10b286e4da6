import * as tf from "@tensorflow/tfjs-core";
import { canRead } from "../../ops/attention/guard.ts";
import { cumulate, lessLargest } from "./numerics.ts";

/** Stands for −∞ where differences are taken. */
const LOWEST = -1e30;
/** e^−64 times a sum of values is far from where float32 ends. */
const NEAR = 64;

/**
 * Σ_{s≤t} e^{k_s} v_s and Σ_{s≤t} e^{k_s}, both times a factor of their own for each t and column, which their quotient
 * cancels; a later key changes no earlier sum, however large it is.
 *
 * Shapes: keys (−∞ where hidden) and values [B, H, T, D] → two of [B, H, T, D].
 * Cost: O(n·D) where the keys are known to be near one another, else O(n·log n·D).
 */
export function powerSums(keys: tf.Tensor4D, values: tf.Tensor4D): [tf.Tensor4D, tf.Tensor4D] {
  const summed = (powers: tf.Tensor) => tf.concat([tf.mul(powers, values), powers], 3);
  if (areNear(keys)) {
    return tf.split(cumulate(summed(tf.exp(lessLargest(keys, 2))), 2), 2, 3) as [tf.Tensor4D, tf.Tensor4D];
  }
  const relative = tf.customGrad((input) => ({
    value: tf.sub(input as tf.Tensor, runningLargest(input as tf.Tensor4D)),
    gradFunc: (dy: tf.Tensor) => dy,
  }));
  const powers = tf.exp(relative(keys));
  return tf.split(fadingSums(summed(powers) as tf.Tensor4D, keys), 2, 3) as [tf.Tensor4D, tf.Tensor4D];
}

/** Whether keys that are there differ by less than `NEAR`, where that can be read. */
function areNear(keys: tf.Tensor4D): boolean {
  if (!canRead()) return false;
  return tf.tidy(() => {
    const least = tf.min(tf.where(tf.greater(keys, Number.NEGATIVE_INFINITY), keys, tf.max(keys)));
    return !(tf.sub(tf.max(keys), least).dataSync()[0]! > NEAR);
  });
}

/** x [B, H, T, D] moved d positions on, `filling` before it; d < 0 moves it back. */
function moved(x: tf.Tensor, d: number, filling: number): tf.Tensor {
  const [B, H, T, D] = x.shape as [number, number, number, number];
  const kept = tf.slice(x, [0, 0, Math.max(0, -d), 0], [B, H, T - Math.abs(d), D]);
  const none: [number, number] = [0, 0];
  return tf.pad(kept, [none, none, d > 0 ? [d, 0] : [0, -d], none], filling);
}

/** 1, 2, 4, … below T. */
function doublings(T: number): number[] {
  const steps: number[] = [];
  for (let d = 1; d < T; d *= 2) steps.push(d);
  return steps;
}

/** max_{s≤t} x_s */
function runningLargest(x: tf.Tensor4D): tf.Tensor {
  return doublings(x.shape[2]).reduce<tf.Tensor>(
    (largest, d) => tf.maximum(largest, moved(largest, d, LOWEST)),
    tf.maximum(x, LOWEST),
  );
}

/**
 * Σ_{s≤t} e^{m_s − m_t} x_s, m the running largest key: after each doubling d a position has the sum of 2·d of them. No
 * exponent is positive. Keys have no gradient here: m cancels.
 */
function fadingSums(x: tf.Tensor4D, keys: tf.Tensor4D): tf.Tensor {
  const sums = tf.customGrad((input, save) => {
    const largest = runningLargest(keys);
    const value = doublings(x.shape[2]).reduce<tf.Tensor>(
      (sum, d) => tf.add(sum, tf.mul(moved(sum, d, 0), fading(largest, d))),
      input as tf.Tensor,
    );
    (save as unknown as tf.GradSaveFunc)([largest]);
    const gradFunc = (dy: tf.Tensor, [m]: tf.Tensor[]) =>
      doublings(x.shape[2]).reduceRight<tf.Tensor>(
        (sum, d) => tf.add(sum, moved(tf.mul(sum, fading(m!, d)), -d, 0)),
        dy,
      );
    return { value, gradFunc: gradFunc as unknown as (dy: tf.Tensor) => tf.Tensor };
  });
  return sums(x);
}

/** e^{m_{t−d} − m_t}, for sums and totals side by side. */
function fading(m: tf.Tensor, d: number): tf.Tensor {
  return tf.tile(tf.exp(tf.sub(moved(m, d, LOWEST), m)), [1, 1, 1, 2]);
}
