/** The maps that the glimpse models are made of, and the parameters of each. */
import * as tf from "@tensorflow/tfjs-core";
import { linear } from "../../ops/linear.ts";
import { lstmCell } from "../../ops/lstm-cell.ts";
import type { ParameterSpecs, Parameters } from "../parameters.ts";

/** `x W + b`: [I, O] and [O]. Small weights keep what they make near b at first, and let a gradient through all the same. */
export function denseSpecs(
  name: string,
  inputs: number,
  outputs: number,
  start: "glorot" | "small" | "zeros" = "glorot",
): ParameterSpecs {
  return {
    [`${name}/kernel`]: {
      shape: [inputs, outputs],
      start: start === "small" ? { normal: 0.1 / Math.sqrt(inputs) } : start,
    },
    [`${name}/bias`]: { shape: [outputs], start: "zeros" },
  };
}

export function dense(parameters: Parameters, name: string, x: tf.Tensor2D): tf.Tensor2D {
  return linear(x, parameters.matrix(`${name}/kernel`), parameters.vector(`${name}/bias`));
}

/** A convolution of 3 × 3 pixels: [3, 3, I, O] and [O], begun as He et al. 2015 (arxiv.org/abs/1502.01852) do before a ReLU. */
export function convolutionSpecs(name: string, inputs: number, outputs: number, bias = true): ParameterSpecs {
  return {
    [`${name}/kernel`]: { shape: [3, 3, inputs, outputs], start: { normal: Math.sqrt(2 / (9 * inputs)) } },
    ...(bias && { [`${name}/bias`]: { shape: [outputs], start: "zeros" as const } }),
  };
}

/** A convolution, padded so that every `stride`-th row and column has an output. */
export function convolution(parameters: Parameters, name: string, x: tf.Tensor4D, stride = 1): tf.Tensor4D {
  const kernel: tf.Tensor = parameters.variables[`${name}/kernel`]!;
  const mapped = tf.conv2d(x, kernel as tf.Tensor4D, stride, "same");
  return parameters.has(`${name}/bias`) ? tf.add(mapped, parameters.vector(`${name}/bias`)) : mapped;
}

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
