/** What layers of linear and approximate attention share: heads of one or two inputs, and masks of them. */
import * as tf from "@tensorflow/tfjs-core";
import { fromHeads, toHeads } from "../../attention/sequence/project.ts";
import { OptionError } from "../../core/errors.ts";
import {
  boolMask,
  byDefault,
  type FieldValues,
  flag,
  integer,
  type LayerCall,
  type LayerInput,
  optional,
  required,
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
  ...weightFields("kernel", "glorotUniform"),
  ...weightFields("bias", "zeros"),
  /** Of initial weights. @default another one each time */
  seed: seed(),
};

/** Position t sees positions up to t; queries and values are then as many. */
export const causalFields = {
  /** @default false */
  useCausalMask: byDefault(flag(), false),
  /** Positions of one chunk, where it is causal. @default that of the mechanism */
  chunkSize: optional(integer(1)),
};

type HeadConfig = FieldValues<typeof headFields>;
export type HeadWeights = WeightTable<typeof headFields>;
/** A weight of the layer, undefined where it has none of that name. */
export type Weight = (name: string) => tf.Tensor | undefined;

export const selfInputs: readonly LayerInput[] = [{ name: "x", letters: "[B, T, C]" }];
export const crossInputs: readonly LayerInput[] = [
  { name: "query", letters: "[B, T, C]" },
  { name: "value", letters: "[B, S, Cv]", optional: true },
];

/** The kernel [C, H, size] of one projection to heads, and its bias. */
export function projection(name: string, C: number, size: number, config: HeadConfig): HeadWeights {
  const H = config.numHeads;
  return {
    [`${name}/kernel`]: { shape: [C, H, size], kind: "kernel", matrix: [C, H * size] },
    [`${name}/bias`]: config.useBias && { shape: [H, size], kind: "bias" },
  };
}

/** The projection of the heads back to [B, T, C]. */
export function outputProjection(C: number, config: HeadConfig): HeadWeights {
  const { numHeads: H, keyDim, valueDim: Dv = keyDim, useBias } = config;
  return {
    "attention_output/kernel": { shape: [H, Dv, C], kind: "kernel", matrix: [H * Dv, C] },
    "attention_output/bias": useBias && { shape: [C], kind: "bias" },
  };
}

/** Projections of queries, keys, values and the output. */
export function headWeights(config: HeadConfig, C: number, Cv = C): HeadWeights {
  const { keyDim: D, valueDim: Dv = D } = config;
  return {
    ...projection("query", C, D, config),
    ...projection("key", Cv, D, config),
    ...projection("value", Cv, Dv, config),
    ...outputProjection(C, config),
  };
}

/** x in the heads of a projection: [B, H, T, size]. */
export function split(x: tf.Tensor3D, name: string, weight: Weight): tf.Tensor4D {
  const [w, b] = [weight(`${name}/kernel`) as tf.Tensor3D, weight(`${name}/bias`) as tf.Tensor2D | undefined];
  return tf.transpose(toHeads(x, w, b), [0, 2, 1, 3]);
}

/** Heads [B, H, T, Dv] through the output's projection: [B, T, C]. */
export function join(heads: tf.Tensor4D, weight: Weight): tf.Tensor3D {
  const [w, b] = ["kernel", "bias"].map((name) => weight(`attention_output/${name}`));
  return fromHeads(tf.transpose(heads, [0, 2, 1, 3]), w as tf.Tensor3D, b as tf.Tensor1D | undefined);
}

/** Inputs with 0 where they are hidden, so that nothing of it reaches the gradients of weights, and their masks. */
export function present(op: string, inputs: readonly tf.Tensor[], { masks }: LayerCall) {
  const [query, value = query] = inputs as [tf.Tensor3D, tf.Tensor3D | undefined];
  const names = inputs.length > 1 ? ["query [B, T, C]", "value [B, S, Cv]"] : ["x [B, T, C]"];
  const [queryMask, valueMask = inputs.length > 1 ? undefined : queryMask] = names.map((name, at) =>
    boolMask(op, `the mask of ${name}`, masks[at], inputs[at]!.shape.slice(0, 2)),
  );
  const hide = (x: tf.Tensor3D, mask: tf.Tensor | undefined) =>
    mask ? tf.where<tf.Tensor3D>(tf.expandDims(mask, 2), x, 0) : x;
  const asking = hide(query, queryMask);
  return {
    query: asking,
    value: inputs.length < 2 ? asking : hide(value!, valueMask),
    queryMask,
    /** bool [B, S] */
    valueMask:
      valueMask && (tf.logicalAnd(valueMask, tf.ones(value!.shape.slice(0, 2), "bool")) as tf.Tensor2D),
  };
}

/** Heads with 0 where the query is hidden. */
export function seen(heads: tf.Tensor4D, mask: tf.Tensor | undefined): tf.Tensor4D {
  return mask
    ? tf.where<tf.Tensor4D>(tf.reshape(mask, [mask.shape[0]!, 1, mask.shape[1]!, 1]), heads, 0)
    : heads;
}

/**
 * The numbers of positions that a mask leaves, for mechanisms whose positions are one after the other; it is read from
 * the device.
 *
 * @throws OptionError LAST_HIDDEN when it hides others than the last
 */
export function lengthsOf(op: string, mask: tf.Tensor2D | undefined): number[] | undefined {
  if (!mask) return undefined;
  const [B, T] = mask.shape;
  const kept = Array.from(mask.dataSync());
  return Array.from({ length: B }, (_, b) => {
    const row = kept.slice(b * T, (b + 1) * T);
    const length = row.filter((one) => one !== 0).length;
    const hidden = row.indexOf(0);
    if (hidden >= 0 && hidden < length) throw new OptionError("LAST_HIDDEN", { op, b, t: hidden });
    return length;
  });
}
