/** Keras' attention layers, and Bahdanau's. */

import { weightedSum } from "../attention.ts";
import type { Value } from "../format/graph.ts";
import { cast, joinHeads, reshape, splitHeads, transpose, unsqueeze } from "../format/operations.ts";
import { both, type LayerRule, type LayerUse, linear, type Made, unsayable, zeroHidden } from "./call.ts";
import { type Attended, maskedAttention, orderMask, weightsOf } from "./masked-attention.ts";

/** Inputs [query, value?, key?] with zeros for what their masks hide. */
export interface Inputs {
  readonly query: Value;
  readonly value: Value;
  readonly key: Value;
  /** bool [B, T] and [B, S]. */
  readonly present: Value | undefined;
  readonly visible: Value | undefined;
}

export function inputsOf({ graph, inputs }: LayerUse): Inputs {
  const [query, value = query, key = value] = inputs;
  const present = query!.mask;
  const masks = inputs.length < 2 ? [present] : [value!.mask, inputs[2]?.mask];
  const visible = both(graph, masks);
  return {
    query: zeroHidden(graph, query!.value, present),
    value: zeroHidden(graph, value!.value, visible),
    key: zeroHidden(graph, key!.value, visible),
    present,
    visible,
  };
}

/** A mask of keys [B, S] for all queries and heads. */
export const ofKeys = ({ graph }: LayerUse, mask: Value | undefined) => mask && unsqueeze(graph, mask, 1, 2);

/** Keras' `Attention` and `AdditiveAttention`: one head, without projections; scores [B, 1, T, S] of queries and keys. */
function keras(use: LayerUse, score: (queries: Value, keys: Value) => Value): Made {
  const { graph, config } = use;
  const [query, values, keys = values] = use.inputs;
  const present = query!.mask;
  const visible = values!.mask;
  const [v, k] = [values!, keys!].map(({ value }) => zeroHidden(graph, value, visible)) as [Value, Value];
  const [q1, k1, v1] = [query!.value, k, v].map((x) => unsqueeze(graph, x, 1)) as [Value, Value, Value];
  const causal = config.useCausalMask === true || config.causal === true;
  const seen = both(graph, [ofKeys(use, visible), orderMask(graph, { q: q1, k: k1 }, { causal })]);
  const weights = weightsOf(graph, score(q1, k1), seen);
  const sums = weightedSum(graph, weights, { v: v1, H: 1, Hkv: 1, Dv: 0 });
  const flat = (x: Value) => graph.op("Squeeze", [x, graph.ints([1])]);
  const output = zeroHidden(graph, flat(sums), present);
  return { outputs: config.returnAttentionScores ? [output, flat(weights)] : [output] };
}

/** Σ_d w_d tanh(q_td + k_sd): [B, 1, T, D] and [B, 1, S, D] → [B, 1, T, S], with w [D, 1]. */
export function additiveScores({ graph }: LayerUse, q: Value, k: Value, w: Value): Value {
  const sums = graph.op("Add", [unsqueeze(graph, q, 3), unsqueeze(graph, k, 2)]);
  const products = graph.op("MatMul", [graph.op("Tanh", [sums]), w]);
  return graph.op("Squeeze", [products, graph.ints([-1])]);
}

export const attentionRule: LayerRule = (use) => {
  const { graph, config } = use;
  const scaled = (x: Value) => (use.has("scale") ? graph.op("Mul", [x, use.weight("scale")]) : x);
  return keras(use, (q, k) => {
    if (config.scoreMode !== "concat") {
      return graph.op("MatMul", [scaled(q), transpose(graph, k, [0, 1, 3, 2])]);
    }
    const D = use.inputs[0]!.shape.at(-1)!;
    const ones = graph.floats(new Float32Array(D).fill(1), [D, 1]);
    const scores = additiveScores(use, scaled(q), scaled(k), ones);
    return graph.op("Mul", [scores, use.weight("concat_score_weight")]);
  });
};

export const additiveAttentionRule: LayerRule = (use) => {
  const D = use.inputs[0]!.shape.at(-1)!;
  const w = use.has("scale")
    ? use.weight("scale", [D, 1])
    : use.graph.floats(new Float32Array(D).fill(1), [D, 1]);
  return keras(use, (q, k) => additiveScores(use, q, k, w));
};

export const bahdanauRule: LayerRule = (use) => {
  const A = use.config.units as number;
  const w = use.weight("scale", [A, 1]);
  return keras(use, (q, k) => additiveScores(use, linear(use, "query", q), linear(use, "key", k), w));
};

/** Sizes of a layer of heads. */
export interface Sizes {
  readonly H: number;
  readonly Hkv: number;
  readonly D: number;
  readonly Dv: number;
}

/** One projection in heads: [B, H, N, D]. */
export function heads(use: LayerUse, name: string, x: Value, H: number, D: number): Value {
  return splitHeads(use.graph, linear(use, name, x, H * D), H, D);
}

/** `MultiHeadAttention` and `GroupQueryAttention`. */
function projected(use: LayerUse, sizes: Sizes, outputShape?: readonly number[]): Made {
  const { graph, config, op } = use;
  const { H, Hkv, D, Dv } = sizes;
  for (const { shape } of use.inputs.slice(0, 3)) {
    if (shape.length !== 3)
      throw unsayable(op, "in ONNX its inputs must have rank 3", `shape [${shape.join(", ")}]`);
  }
  const { query, value, key, present, visible } = inputsOf({ ...use, inputs: use.inputs.slice(0, 3) });
  const pairs = use.inputs[3] && pairMask(use);
  const attended = maskedAttention(
    graph,
    {
      ...{ q: heads(use, "query", query, H, D), k: heads(use, "key", key, Hkv, D) },
      ...{ v: heads(use, "value", value, Hkv, Dv), H, Hkv, Dv, scale: D ** -0.5 },
    },
    {
      allow: both(graph, [ofKeys(use, visible), pairs]),
      causal: config.useCausalMask === true,
      window: config.slidingWindow as number | undefined,
    },
    config.returnAttentionScores === true,
  );
  const { output, weights } = typeof attended === "string" ? { output: attended } : (attended as Attended);
  let rows = joinHeads(graph, output, H, Dv);
  if (config.useGate) {
    rows = graph.op("Mul", [rows, graph.op("Sigmoid", [linear(use, "gate", query, H * Dv)])]);
  }
  const width = outputShape?.reduce((all, n) => all * n, 1);
  const joined = linear(use, "attention_output", zeroHidden(graph, rows, present), width);
  const shaped =
    outputShape && outputShape.length > 1 ? reshape(graph, joined, [0, 0, ...outputShape]) : joined;
  return { outputs: weights ? [shaped, zeroHidden(graph, weights, present, [1, 3])] : [shaped] };
}

/** The mask of pairs, [T, S], [B, T, S] or [B, H, T, S], as bool of four axes. */
function pairMask({ graph, inputs }: LayerUse): Value {
  const { value, shape, type } = inputs[3]!;
  const allow = type === "bool" ? value : cast(graph, value, "bool");
  if (shape.length === 4) return allow;
  return unsqueeze(graph, allow, ...(shape.length === 3 ? [1] : [0, 1]));
}

export const multiHeadRule: LayerRule = (use) => {
  const {
    numHeads: H,
    keyDim: D,
    valueDim: Dv = D,
    outputShape,
    attentionAxes,
  } = use.config as unknown as {
    numHeads: number;
    keyDim: number;
    valueDim?: number;
    outputShape?: readonly number[];
    attentionAxes?: readonly number[];
  };
  if (attentionAxes && String(attentionAxes) !== "1")
    throw unsayable(use.op, "in ONNX attentionAxes must be 1", attentionAxes);
  return projected(use, { H, Hkv: H, D, Dv }, outputShape);
};

export const groupQueryRule: LayerRule = (use) => {
  const { numQueryHeads: H, numKeyValueHeads: Hkv, headDim: D } = use.config as Record<string, number>;
  return projected(use, { H: H!, Hkv: Hkv!, D: D!, Dv: D! });
};
