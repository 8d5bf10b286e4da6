/** What layers of several heads share whose weights are no plain softmax: projections, masks, and the way back. */
import * as tf from "@tensorflow/tfjs-core";
import { fromHeads, toHeads } from "../../attention/sequence/project.ts";
import {
  boolMask,
  byDefault,
  type FieldValues,
  flag,
  integer,
  type LayerInput,
  optional,
  required,
  type Sizes,
  seed,
  type WeightTable,
  weightFields,
} from "../base/index.ts";

export const headFields = {
  /** H */
  numHeads: required(integer(1)),
  /** D, the width of one head's queries and keys. */
  keyDim: required(integer(1)),
  /** Dv, the width of one head's values. @default keyDim */
  valueDim: optional(integer(1)),
  /** Biases of all projections. @default true */
  useBias: byDefault(flag(), true),
  /** Position i sees positions up to i. @default false */
  useCausalMask: byDefault(flag(), false),
  ...weightFields("kernel", "glorotUniform"),
  ...weightFields("bias", "zeros"),
  /** Of initial weights and of what is drawn in training. @default another one each time */
  seed: seed(),
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
): WeightTable<typeof headFields> {
  const heads = (name: string, width: number, size: number): WeightTable<typeof headFields> => ({
    [`${name}/kernel`]: { shape: [width, H, size], kind: "kernel", matrix: [width, H * size] },
    [`${name}/bias`]: useBias && { shape: [H, size], kind: "bias" },
  });
  return {
    ...heads("query", C!, D),
    ...heads("key", Ck, D),
    ...heads("value", Cv, Dv),
    "attention_output/kernel": { shape: [H, Dv, C!], kind: "kernel", matrix: [H * Dv, C!] },
    "attention_output/bias": useBias && { shape: [C!], kind: "bias" },
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
  weight: <T extends tf.Tensor>(name: string) => T | undefined,
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
  const present = <X extends tf.Tensor>(x: X, mask: tf.Tensor | undefined) =>
    mask ? (tf.where(tf.expandDims(mask, 2), x, tf.zerosLike(x)) as X) : x;
  const heads = (x: tf.Tensor3D, name: string) => {
    const split = toHeads(x, weight<tf.Tensor3D>(`${name}/kernel`)!, weight<tf.Tensor2D>(`${name}/bias`));
    return tf.transpose<tf.Tensor4D>(split, [0, 2, 1, 3]);
  };
  const visible =
    ofValues && ofKeys && ofValues !== ofKeys ? tf.logicalAnd(ofValues, ofKeys) : (ofKeys ?? ofValues);
  return {
    q: heads(present(query, asking), "query"),
    k: heads(present(key, ofKeys), "key"),
    v: heads(present(value, ofValues), "value"),
    allow: visible && tf.reshape<tf.Rank.R4>(visible, [visible.shape[0]!, 1, 1, visible.shape[1]!]),
    join(output) {
      const rows = tf.transpose<tf.Tensor4D>(output, [0, 2, 1, 3]);
      const kernel = weight<tf.Tensor3D>("attention_output/kernel")!;
      return present(fromHeads(rows, kernel, weight<tf.Tensor1D>("attention_output/bias")), asking);
    },
  };
}
