/** What Keras' Attention and AdditiveAttention share: all but the score. */
import * as tf from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import { cleaned } from "../../ops/attention/guard.ts";
import {
  boolMask,
  byDefault,
  dropout,
  type FieldValues,
  flag,
  type LayerCall,
  type LayerInput,
  optional,
  ours,
  type Shape,
  seed,
  zeroHidden,
} from "../base/index.ts";

export const kerasAttentionFields = {
  ...dropout,
  /** The seed of dropout. @default another one each time */
  seed: seed(),
  /** Position i sees positions up to i; an option of the call too, as in Keras, which has no such field. @default false */
  useCausalMask: ours(byDefault(flag(), false)),
  /** What Keras 2 called `useCausalMask` until 2.9. @default none */
  causal: ours(optional(flag())),
  /** Returns [output, weights [B, T, S]]; an option of the call too, as in Keras, which has no such field. @default false */
  returnAttentionScores: ours(byDefault(flag(), false)),
};

export const kerasAttentionInputs: readonly LayerInput[] = [
  { name: "query", letters: "[B, T, D]" },
  { name: "value", letters: "[B, S, Dv]" },
  { name: "key", letters: "[B, S, D]", optional: true },
];
export const kerasAttentionCall = {
  inputs: ["query", "value", "key"],
  fields: ["useCausalMask", "returnAttentionScores"],
} as const;

/** The widths of queries and values must agree when values are the keys. */
export function checkKeys(op: string, [query, value, key]: readonly Shape[]): void {
  const [D, Dv] = [query![2], value![2]];
  if (key || D === Dv || D === null || Dv === null) return;
  throw new ShapeError("SHAPE", {
    op,
    rule: "query [B, T, D] and value [B, S, Dv], which are the keys too, must have the same width",
    got: `D=${D} and Dv=${Dv}`,
    remedy: "give keys of that width as the third input",
  });
}

export function kerasAttentionShape([query, value]: readonly Shape[], scores: boolean): Shape | Shape[] {
  const [B, T] = query!;
  const output = [B!, T!, value![2]!];
  return scores ? [output, [B!, T!, value![1]!]] : output;
}

/** What a score is given to attend with, and what it gives. */
interface ScoreCall {
  readonly queries: tf.Tensor3D;
  readonly keys: tf.Tensor3D;
  readonly values: tf.Tensor3D;
  readonly mask: { readonly allow?: tf.Tensor | undefined; readonly causal?: "topLeft" };
  readonly dropout: { rate: number; seed: number };
  readonly training: boolean;
  readonly weights: boolean;
}

/** The call of Keras' layers: masks, options, and zeros for queries that are not there. */
export function kerasAttention(
  op: string,
  config: FieldValues<typeof kerasAttentionFields>,
  inputs: readonly tf.Tensor[],
  { masks, training, seed, kwargs }: LayerCall,
  attend: (call: ScoreCall) => { output: tf.Tensor3D; weights?: tf.Tensor3D },
): tf.Tensor | tf.Tensor[] {
  checkKeys(
    op,
    inputs.map(({ shape }) => shape),
  );
  const [query, values, keys = values] = inputs as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D?];
  const isCausal = config.useCausalMask || config.causal;
  const { useCausalMask, returnAttentionScores } = { ...config, useCausalMask: isCausal, ...kwargs };
  const [B, T] = query.shape;
  const present = boolMask(op, "the mask of query [B, T, D]", masks[0], [B, T]);
  // What is not finite in queries that are not there would reach the gradients of other rows. Finite numbers cannot, and
  // give the scores that Keras has in these rows.
  const queries = present ? tf.where<tf.Tensor3D>(tf.expandDims(present, 2), query, cleaned(query)) : query;
  const visible = boolMask(op, "the mask of value [B, S, Dv]", masks[1], [B, values.shape[1]]);
  const { output, weights } = attend({
    queries,
    keys,
    values,
    training,
    mask: {
      ...(visible && { allow: tf.expandDims(visible, 1) }),
      ...(useCausalMask && { causal: "topLeft" }),
    },
    dropout: { rate: config.dropout, seed },
    weights: returnAttentionScores,
  });
  const shown = zeroHidden(output, present);
  return returnAttentionScores ? [shown, weights!] : shown;
}
