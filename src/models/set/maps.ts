/** The parts that models of sets are made of: their parameters by name, and how a mechanism reads them. */
import * as tf from "@tensorflow/tfjs-core";
import type {
  FeedForwardParameters,
  MultiHeadAttentionBlockParameters,
  MultiHeadParameters,
  NormParameters,
} from "../../attention/index.ts";
import { layerNorm } from "../../ops/layer-norm.ts";
import { linear } from "../../ops/linear.ts";
import type { ParameterSpecs, Parameters } from "../parameters.ts";

/** A map of the last axis. */
export function mapSpecs(name: string, from: number, to: number): ParameterSpecs {
  return {
    [`${name}/kernel`]: { shape: [from, to], start: "glorot" },
    [`${name}/bias`]: { shape: [to], start: "zeros" },
  };
}

export function mapped<T extends tf.Tensor>(p: Parameters, name: string, x: T): T {
  return linear(x, p.matrix(`${name}/kernel`), p.vector(`${name}/bias`));
}

export function normSpecs(name: string, C: number): ParameterSpecs {
  return {
    [`${name}/gamma`]: { shape: [C], start: "ones" },
    [`${name}/beta`]: { shape: [C], start: "zeros" },
  };
}

export function readNorm(p: Parameters, name: string): NormParameters {
  return { gamma: p.vector(`${name}/gamma`), beta: p.vector(`${name}/beta`) };
}

export function normalized<T extends tf.Tensor>(p: Parameters, name: string, x: T): T {
  return layerNorm(x, p.vector(`${name}/gamma`), p.vector(`${name}/beta`));
}

/** Attention of x [B, T, C] over y [B, S, Cy]: four maps. */
export function attentionSpecs(name: string, C: number, Cy: number): ParameterSpecs {
  return {
    ...mapSpecs(`${name}/query`, C, C),
    ...mapSpecs(`${name}/key`, Cy, C),
    ...mapSpecs(`${name}/value`, Cy, C),
    ...mapSpecs(`${name}/output`, C, C),
  };
}

/** The maps as those of `heads` heads; the caller's tidy has them. */
export function readAttention(p: Parameters, name: string, heads: number): MultiHeadParameters {
  const C = p.matrix(`${name}/query/kernel`).shape[1];
  const D = C / heads;
  const kernel = (of: string) => {
    const matrix = p.matrix(`${name}/${of}/kernel`);
    return tf.reshape(matrix, [matrix.shape[0], heads, D]) as tf.Tensor3D;
  };
  const bias = (of: string) => tf.reshape(p.vector(`${name}/${of}/bias`), [heads, D]) as tf.Tensor2D;
  return {
    ...{ wq: kernel("query"), bq: bias("query"), wk: kernel("key"), bk: bias("key") },
    ...{ wv: kernel("value"), bv: bias("value") },
    wo: tf.reshape(p.matrix(`${name}/output/kernel`), [heads, D, C]) as tf.Tensor3D,
    bo: p.vector(`${name}/output/bias`),
  };
}

export function feedForwardSpecs(name: string, C: number, F: number): ParameterSpecs {
  return { ...mapSpecs(`${name}/in`, C, F), ...mapSpecs(`${name}/out`, F, C) };
}

export function readFeedForward(p: Parameters, name: string): FeedForwardParameters {
  return {
    ...{ w1: p.matrix(`${name}/in/kernel`), b1: p.vector(`${name}/in/bias`) },
    ...{ w2: p.matrix(`${name}/out/kernel`), b2: p.vector(`${name}/out/bias`) },
  };
}

/** A block of attention over y [B, S, Cy] and feed-forward maps. */
export function blockSpecs(
  name: string,
  { C, Cy = C, F }: { C: number; Cy?: number; F: number },
): ParameterSpecs {
  return {
    ...attentionSpecs(`${name}/attention`, C, Cy),
    ...normSpecs(`${name}/attention/norm`, C),
    ...feedForwardSpecs(`${name}/feed`, C, F),
    ...normSpecs(`${name}/feed/norm`, C),
  };
}

export function readBlock(p: Parameters, name: string, heads: number): MultiHeadAttentionBlockParameters {
  return {
    attention: readAttention(p, `${name}/attention`, heads),
    attentionNorm: readNorm(p, `${name}/attention/norm`),
    feedForward: readFeedForward(p, `${name}/feed`),
    feedForwardNorm: readNorm(p, `${name}/feed/norm`),
  };
}
