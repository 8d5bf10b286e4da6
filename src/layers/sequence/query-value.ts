/** What Bahdanau's and Luong's local layer share: queries and values of any width, keys where they are others, Keras' masks. */
import type * as tf from "@tensorflow/tfjs-core";
import { boolMask, type LayerCall, type LayerInput, type Shape, zeroHidden } from "../base/index.ts";

export const queryValueInputs: readonly LayerInput[] = [
  { name: "query", letters: "[B, T, Cq]" },
  { name: "value", letters: "[B, S, Cv]" },
  { name: "key", letters: "[B, S, Ck]", optional: true },
];

/** [B, T, Cv] */
export function queryValueShape([query, value]: readonly Shape[]): Shape {
  return [...query!.slice(0, 2), value![2]!];
}

interface QueryValue {
  /** Zeros where `present` is false: nothing of what stands there reaches the gradients of other rows. */
  readonly queries: tf.Tensor3D;
  readonly keys: tf.Tensor3D;
  readonly values: tf.Tensor3D;
  /** [B, T], of the queries. */
  readonly present: tf.Tensor | undefined;
  /** [B, S], of the values and keys. */
  readonly visible: tf.Tensor | undefined;
}

export function readQueryValue(
  op: string,
  given: readonly tf.Tensor[],
  masks: LayerCall["masks"],
): QueryValue {
  const [query, values, keys = values] = given as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D?];
  const present = boolMask(op, "the mask of query [B, T, Cq]", masks[0], query.shape.slice(0, 2));
  const visible = boolMask(op, "the mask of value [B, S, Cv]", masks[1], values.shape.slice(0, 2));
  return { queries: zeroHidden(query, present), keys, values, present, visible };
}
