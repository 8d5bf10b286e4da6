/** What layers of several heads share whose weights are no plain softmax: projections, masks, and the way back. */
import * as tf from "@tensorflow/tfjs-core";
import {
  type HeadWeights,
  headSizes,
  joined,
  outputWeights,
  projected,
  projectionFields,
  swapped,
  type Weights,
  headWeights as weightsOf,
} from "../base/heads.ts";
import {
  boolMask,
  byDefault,
  type FieldValues,
  flag,
  type LayerInput,
  type Sizes,
  zeroHidden,
} from "../base/index.ts";

export const headFields = {
  ...headSizes,
  /** Position i sees positions up to i. @default false */
  useCausalMask: byDefault(flag(), false),
  ...projectionFields,
};
type Config = Pick<FieldValues<typeof headFields>, "numHeads" | "keyDim" | "valueDim" | "useBias">;

export const headInputs: readonly LayerInput[] = [
  { name: "query", letters: "[B, T, C]" },
  { name: "value", letters: "[B, S, Cv]", optional: true },
  { name: "key", letters: "[B, S, Ck]", optional: true },
];

/** Projections of queries, keys, values and heads, by the names of Keras' MultiHeadAttention. */
export function headWeights(
  { numHeads: H, keyDim: D, valueDim: Dv = D, useBias }: Config,
  { C, Cv = C!, Ck = Cv }: Sizes,
): HeadWeights {
  return {
    ...weightsOf("query", [C!, H, D], useBias),
    ...weightsOf("key", [Ck, H, D], useBias),
    ...weightsOf("value", [Cv, H, Dv], useBias),
    ...outputWeights([H, Dv, C!], useBias),
  };
}

export interface Heads {
  /** [B, H, T, D] */
  readonly q: tf.Tensor4D;
  /** [B, H, S, D] */
  readonly k: tf.Tensor4D;
  /** [B, H, S, Dv] */
  readonly v: tf.Tensor4D;
  /** bool [B, 1, 1, S], where a key may be seen; undefined where all may. */
  readonly allow: tf.Tensor4D | undefined;
  /** From the heads' outputs [B, H, T, Dv] to the layer's [B, T, C]: 0 for queries that are not there. */
  join(output: tf.Tensor4D): tf.Tensor3D;
}

/**
 * The heads of a layer's inputs: one input attends to itself, and values are the keys where there is no third. What is
 * not there may hold anything; as zeros nothing of it reaches a gradient.
 */
export function splitHeads(
  op: string,
  weight: Weights,
  inputs: readonly tf.Tensor[],
  masks: readonly (tf.Tensor | undefined)[],
): Heads {
  const [query, value = query, key = value] = inputs as [tf.Tensor3D, tf.Tensor3D?, tf.Tensor3D?];
  const isSelf = inputs.length < 2;
  const title = "the mask of query [B, T, C]";
  const asking = boolMask(op, title, masks[0], query.shape.slice(0, 2));
  const given = (at: number, name: string) =>
    boolMask(op, `the mask of ${name}`, masks[at], value.shape.slice(0, 2));
  const ofValues = isSelf ? asking : given(1, "value [B, S, Cv]");
  const ofKeys = inputs.length < 3 ? ofValues : given(2, "key [B, S, Ck]");
  const visible =
    ofValues && ofKeys && ofValues !== ofKeys ? tf.logicalAnd(ofValues, ofKeys) : (ofKeys ?? ofValues);
  const heads = (name: string, x: tf.Tensor3D, mask: tf.Tensor | undefined) =>
    swapped(projected(weight, name, zeroHidden(x, mask)));
  return {
    q: heads("query", query, asking),
    k: heads("key", key, ofKeys),
    v: heads("value", value, ofValues),
    allow: visible && tf.reshape<tf.Rank.R4>(visible, [visible.shape[0]!, 1, 1, visible.shape[1]!]),
    join: (output) => zeroHidden(joined(weight, swapped(output)), asking),
  };
}
