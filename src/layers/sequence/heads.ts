/** What layers share that project sequences to heads and back, and are not Keras'. */
import * as tf from "@tensorflow/tfjs-core";
import { fromHeads, toHeads } from "../../attention/sequence/project.ts";
import {
  boolMask,
  byDefault,
  flag,
  integer,
  type LayerCall,
  type LayerInput,
  optional,
  rate,
  required,
  type Shape,
  seed,
  type WeightTable,
  weightFields,
} from "../base/index.ts";

export const commonFields = {
  /** Biases of all projections. @default true */
  useBias: byDefault(flag(), true),
  /** Share of weights dropped in training. @default 0 */
  dropout: byDefault(rate(), 0),
  ...weightFields("kernel", "glorotUniform"),
  ...weightFields("bias", "zeros"),
  seed: seed(),
};

export const headFields = {
  /** H */
  numHeads: required(integer(1)),
  /** D, the width of one head's queries and keys. */
  keyDim: required(integer(1)),
  /** Dv, the width of one head's values. @default keyDim */
  valueDim: optional(integer(1)),
  /** Position i sees positions up to i. @default false */
  useCausalMask: byDefault(flag(), false),
  ...commonFields,
};

/** A sequence that reads itself, or another one. */
export const headInputs: readonly LayerInput[] = [
  { name: "query", letters: "[B, T, C]" },
  { name: "value", letters: "[B, S, Cv]", optional: true },
];

type Table = WeightTable<typeof commonFields>;

/** The kernel [C, H, D] and bias [H, D] of one projection to heads. */
export function headWeights(name: string, [C, H, D]: [number, number, number], useBias: boolean): Table {
  return {
    [`${name}/kernel`]: { shape: [C, H, D], kind: "kernel", matrix: [C, H * D] },
    [`${name}/bias`]: useBias && { shape: [H, D], kind: "bias" },
  };
}

/** The kernel [H, Dv, C] and bias [C] of the projection of all heads. */
export function outputWeights([H, Dv, C]: [number, number, number], useBias: boolean): Table {
  return {
    "attention_output/kernel": { shape: [H, Dv, C], kind: "kernel", matrix: [H * Dv, C] },
    "attention_output/bias": useBias && { shape: [C], kind: "bias" },
  };
}

export const sameShape = ([query]: readonly Shape[]): Shape => query!;

/** What reads weights by the names that `headWeights` and `outputWeights` gave them. */
export type Weights = (name: string) => tf.Tensor | undefined;

/** The heads of x by the weights of one name, [B, N, H, D]. */
export function projected(weight: Weights, name: string, x: tf.Tensor3D): tf.Tensor4D {
  return toHeads(
    x,
    weight(`${name}/kernel`) as tf.Tensor3D,
    weight(`${name}/bias`) as tf.Tensor2D | undefined,
  );
}

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
  const present = (x: tf.Tensor3D, mask: tf.Tensor | undefined) =>
    mask ? tf.where<tf.Tensor3D>(tf.expandDims(mask, 2), x, 0) : x;
  return {
    query: present(query, asking),
    value: present(value, keyMask),
    ...(keyMask && { allow: tf.reshape(keyMask, [keyMask.shape[0]!, 1, 1, keyMask.shape[1]!]) }),
    /** Heads [B, T, H, Dv] → [B, T, C]. */
    output(weight: Weights, heads: tf.Tensor4D): tf.Tensor3D {
      const seen = asking
        ? tf.where<tf.Tensor4D>(tf.reshape(asking, [...asking.shape, 1, 1]), heads, 0)
        : heads;
      const [w, b] = ["kernel", "bias"].map((kind) => weight(`attention_output/${kind}`));
      return fromHeads(seen, w as tf.Tensor3D, b as tf.Tensor1D | undefined);
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
