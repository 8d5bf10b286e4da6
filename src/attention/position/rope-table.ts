import * as tf from "@tensorflow/tfjs-core";

/** Cosines and sines of the angle of every position and pair of channels, [T, R/2] each. */
export interface RopeTable {
  cos: tf.Tensor2D;
  sin: tf.Tensor2D;
}

/** A table whose pair i turns by its frequency for each step of `position(t, i)`. */
export function tableOf(
  T: number,
  frequencies: Float64Array,
  magnitude: number,
  position: (t: number, i: number) => number,
): RopeTable {
  const pairs = frequencies.length;
  const cos = new Float32Array(T * pairs);
  const sin = new Float32Array(T * pairs);
  for (let t = 0; t < T; t++) {
    for (let i = 0; i < pairs; i++) {
      const angle = position(t, i) * frequencies[i]!;
      cos[t * pairs + i] = magnitude * Math.cos(angle);
      sin[t * pairs + i] = magnitude * Math.sin(angle);
    }
  }
  return { cos: tf.tensor2d(cos, [T, pairs]), sin: tf.tensor2d(sin, [T, pairs]) };
}
