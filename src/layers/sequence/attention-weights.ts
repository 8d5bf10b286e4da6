import type { Tensor } from "@tensorflow/tfjs-core";

/** The parameters of queries, keys and values in `multiHeadAttention`, and Keras' names of the weights that they are. */
export const PROJECTION_WEIGHTS = {
  wq: "query/kernel",
  bq: "query/bias",
  wk: "key/kernel",
  bk: "key/bias",
  wv: "value/kernel",
  bv: "value/bias",
} as const;

/** The same with those of the output. */
export const ATTENTION_WEIGHTS = {
  ...PROJECTION_WEIGHTS,
  wo: "attention_output/kernel",
  bo: "attention_output/bias",
} as const;

/** Weights as parameters, without those that a layer does not have. */
export function readWeights<P>(
  weight: (name: string) => Tensor | undefined,
  names: Readonly<Record<string, string>>,
  prefix = "",
): P {
  const entries = Object.entries(names).map(([key, name]) => [key, weight(prefix + name)] as const);
  return Object.fromEntries(entries.filter(([, tensor]) => tensor)) as P;
}

/** Parameters by the names of weights. */
export function namedWeights(
  parameters: object,
  names: Readonly<Record<string, string>>,
): Map<string, Tensor> {
  const given = parameters as Readonly<Record<string, Tensor | undefined>>;
  return new Map(Object.entries(names).flatMap(([key, name]) => (given[key] ? [[name, given[key]]] : [])));
}
