/** What layers of linear and approximate attention share: heads of one or two inputs, and masks of them. */
import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
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
  integer,
  type LayerCall,
  type LayerInput,
  optional,
  zeroHidden,
} from "../base/index.ts";
import { validLengths } from "../base/valid-lengths.ts";

export type { HeadWeights } from "../base/heads.ts";

export const headFields = { ...headSizes, ...projectionFields };

/** Position t sees positions up to t; queries and values are then as many. */
export const causalFields = {
  /** @default false */
  useCausalMask: byDefault(flag(), false),
  /** Positions of one chunk, where it is causal. @default that of the mechanism */
  chunkSize: optional(integer(1)),
};

type HeadConfig = FieldValues<typeof headFields>;
export const selfInputs: readonly LayerInput[] = [{ name: "x", letters: "[B, T, C]" }];
export const crossInputs: readonly LayerInput[] = [
  { name: "query", letters: "[B, T, C]" },
  { name: "value", letters: "[B, S, Cv]", optional: true },
];

/** The kernel [C, H, size] of one projection to heads, and its bias. */
export function projection(name: string, C: number, size: number, config: HeadConfig): HeadWeights {
  return weightsOf(name, [C, config.numHeads, size], config.useBias);
}

/** The projection of the heads back to [B, T, C]. */
export function outputProjection(C: number, config: HeadConfig): HeadWeights {
  const { numHeads: H, keyDim, valueDim: Dv = keyDim, useBias } = config;
  return outputWeights([H, Dv, C], useBias);
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
export function split(x: tf.Tensor3D, name: string, weight: Weights): tf.Tensor4D {
  return swapped(projected(weight, name, x));
}

/** Heads [B, H, T, Dv] through the output's projection: [B, T, C]. */
export function join(heads: tf.Tensor4D, weight: Weights): tf.Tensor3D {
  return joined(weight, swapped(heads));
}

/** Inputs with 0 where they are hidden, so that nothing of it reaches the gradients of weights, and their masks. */
export function present(op: string, inputs: readonly tf.Tensor[], { masks }: LayerCall) {
  const [query, value = query] = inputs as [tf.Tensor3D, tf.Tensor3D | undefined];
  const names = inputs.length > 1 ? ["query [B, T, C]", "value [B, S, Cv]"] : ["x [B, T, C]"];
  const [queryMask, valueMask = inputs.length > 1 ? undefined : queryMask] = names.map((name, at) =>
    boolMask(op, `the mask of ${name}`, masks[at], inputs[at]!.shape.slice(0, 2)),
  );
  const asking = zeroHidden(query, queryMask);
  return {
    query: asking,
    value: inputs.length < 2 ? asking : zeroHidden(value!, valueMask),
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
  return validLengths(mask, (b, t) => {
    throw new OptionError("LAST_HIDDEN", { op, b, t });
  });
}
