/** Maps that models are made of: the parameters of each by name, and what it makes of x. */
import * as tf from "@tensorflow/tfjs-core";
import { layerNorm } from "../ops/layer-norm.ts";
import { linear } from "../ops/linear.ts";
import type { ParameterSpecs, Parameters } from "./parameters.ts";

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

/** A map of the last axis. */
export function dense<T extends tf.Tensor>(parameters: Parameters, name: string, x: T): T {
  return linear(x, parameters.matrix(`${name}/kernel`), parameters.vector(`${name}/bias`));
}

/** A convolution of `side` × `side` pixels, begun as He et al. 2015 (arxiv.org/abs/1502.01852) do before a ReLU. */
export function convolutionSpecs(
  name: string,
  inputs: number,
  outputs: number,
  { side = 3, bias = true }: { side?: number; bias?: boolean } = {},
): ParameterSpecs {
  const deviation = Math.sqrt(2 / (side * side * inputs));
  return {
    [`${name}/kernel`]: { shape: [side, side, inputs, outputs], start: { normal: deviation } },
    ...(bias && { [`${name}/bias`]: { shape: [outputs], start: "zeros" as const } }),
  };
}

/** A convolution, padded so that every `stride`-th row and column has an output. */
export function convolution(parameters: Parameters, name: string, x: tf.Tensor4D, stride = 1): tf.Tensor4D {
  const kernel: tf.Tensor = parameters.variables[`${name}/kernel`]!;
  const mapped = tf.conv2d(x, kernel as tf.Tensor4D, stride, "same");
  return parameters.has(`${name}/bias`) ? tf.add(mapped, parameters.vector(`${name}/bias`)) : mapped;
}

export function normSpecs(name: string, C: number): ParameterSpecs {
  return {
    [`${name}/gamma`]: { shape: [C], start: "ones" },
    [`${name}/beta`]: { shape: [C], start: "zeros" },
  };
}

export function normalized<T extends tf.Tensor>(parameters: Parameters, name: string, x: T): T {
  return layerNorm(x, parameters.vector(`${name}/gamma`), parameters.vector(`${name}/beta`));
}
