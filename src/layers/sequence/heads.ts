/** What layers share that project sequences to heads and back, and are not Keras'. */
import * as tf from "@tensorflow/tfjs-core";
import { headSizes, joined, projectionFields, type Weights } from "../base/heads.ts";
import {
  boolMask,
  byDefault,
  flag,
  type LayerCall,
  type LayerInput,
  rate,
  zeroHidden,
} from "../base/index.ts";

export const commonFields = {
  ...projectionFields,
  /** Share of weights dropped in training. @default 0 */
  dropout: byDefault(rate(), 0),
};

export const headFields = {
  ...headSizes,
  /** Position i sees positions up to i. @default false */
  useCausalMask: byDefault(flag(), false),
  ...commonFields,
};

/** A sequence that reads itself, or another one. */
export const headInputs: readonly LayerInput[] = [
  { name: "query", letters: "[B, T, C]" },
  { name: "value", letters: "[B, S, Cv]", optional: true },
];

/**
 * The inputs of a layer of heads, with its masks: queries that are not there are zeros, so that nothing of them reaches
 * the gradients of others, and keys that are not there are hidden by `allow`. Their own output is the bias.
 */
export function maskedHeads(op: string, inputs: readonly tf.Tensor[], { masks }: LayerCall) {
  const [query, value = query] = inputs as [tf.Tensor3D, tf.Tensor3D | undefined];
  const [B, T, S] = [query.shape[0], query.shape[1], value.shape[1]];
  const asking = boolMask(op, "the mask of query [B, T, C]", masks[0], [B, T]);
  const ofKeys = inputs.length < 2 ? masks[0] : masks[1];
  const keyMask = boolMask(op, "the mask of value [B, S, Cv]", ofKeys, [B, S]);
  return {
    query: zeroHidden(query, asking),
    value: zeroHidden(value, keyMask),
    ...(keyMask && { allow: tf.reshape(keyMask, [keyMask.shape[0]!, 1, 1, keyMask.shape[1]!]) }),
    /** Heads [B, T, H, Dv] → [B, T, C]. */
    output(weight: Weights, heads: tf.Tensor4D): tf.Tensor3D {
      return joined(weight, zeroHidden(heads, asking));
    },
  };
}

/** Options of every attention in a layer of heads. */
export function headOptions(
  { useCausalMask, dropout }: { useCausalMask: boolean; dropout: number },
  { training, seed: own }: LayerCall,
) {
  return {
    ...(useCausalMask && { causal: "topLeft" as const }),
    dropout: { rate: dropout, seed: own },
    training,
  };
}
