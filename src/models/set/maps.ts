/** The parts that models of sets are made of: their parameters by name, and how a mechanism reads them. */
import * as tf from "@tensorflow/tfjs-core";
import type {
  FeedForwardParameters,
  MultiHeadAttentionBlockParameters,
  MultiHeadParameters,
  NormParameters,
} from "../../attention/index.ts";
import { denseSpecs, normSpecs } from "../maps.ts";
import type { ParameterSpecs, Parameters } from "../parameters.ts";

export function readNorm(p: Parameters, name: string): NormParameters {
  return { gamma: p.vector(`${name}/gamma`), beta: p.vector(`${name}/beta`) };
}

/** Attention of x [B, T, C] over y [B, S, Cy]: four maps. */
export function attentionSpecs(name: string, C: number, Cy: number): ParameterSpecs {
  return {
    ...denseSpecs(`${name}/query`, C, C),
    ...denseSpecs(`${name}/key`, Cy, C),
    ...denseSpecs(`${name}/value`, Cy, C),
    ...denseSpecs(`${name}/output`, C, C),
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
  return { ...denseSpecs(`${name}/in`, C, F), ...denseSpecs(`${name}/out`, F, C) };
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
