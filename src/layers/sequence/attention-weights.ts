import type { Tensor } from "@tensorflow/tfjs-core";

/** The parameters of `multiHeadAttention`, and Keras' names of the weights that they are. */
export const ATTENTION_WEIGHTS = {
  wq: "query/kernel",
  bq: "query/bias",
  wk: "key/kernel",
  bk: "key/bias",
  wv: "value/kernel",
  bv: "value/bias",
  wo: "attention_output/kernel",
  bo: "attention_output/bias",
} as const;

/** Parameters by the names of weights. */
export function namedWeights(
  parameters: object,
  names: Readonly<Record<string, string>>,
): Map<string, Tensor> {
  const given = parameters as Readonly<Record<string, Tensor | undefined>>;
  return new Map(Object.entries(names).flatMap(([key, name]) => (given[key] ? [[name, given[key]]] : [])));
}
