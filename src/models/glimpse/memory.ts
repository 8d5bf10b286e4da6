/** What the glimpse models share: their memory, and normal numbers. */
import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../core/random.ts";
import { lstmCell } from "../../ops/lstm-cell.ts";
import { dense, denseSpecs } from "../maps.ts";
import type { ParameterSpecs, Parameters } from "../parameters.ts";

/** h and c [B, units] of a long short-term memory. */
export interface LstmState {
  readonly h: tf.Tensor2D;
  readonly c: tf.Tensor2D;
}

/** Gates i, f, g, o of an LSTM from its input and its last output. */
export function lstmSpecs(name: string, inputs: number, units: number): ParameterSpecs {
  return denseSpecs(name, inputs + units, 4 * units);
}

export function lstm(parameters: Parameters, name: string, x: tf.Tensor2D, { h, c }: LstmState): LstmState {
  const [next, cell] = lstmCell(dense(parameters, name, tf.concat2d([x, h], 1)), c, h);
  return { h: next, c: cell };
}

/** A memory that holds nothing yet. */
export function emptyState(B: number, units: number): LstmState {
  return { h: tf.zeros([B, units]), c: tf.zeros([B, units]) };
}

/** [B, …] → [B, n] */
export function flat(x: tf.Tensor): tf.Tensor2D {
  return tf.reshape(x, [x.shape[0]!, -1]);
}

/** Normal numbers of step t of a seed. */
export function normalNoise([rows, columns]: [number, number], seed: number, t: number): tf.Tensor2D {
  const numbers = new RandomStream(seed, t).fillNormal(new Float32Array(rows * columns));
  return tf.tensor2d(numbers, [rows, columns]);
}
