/** heed's layers of a Transformer's encoder and decoder, and those that are made of the same parts. */
import type { Value } from "../format/graph.ts";
import { cast, concat, joinHeads, sizeOf, unsqueeze } from "../format/operations.ts";
import { layerNorm } from "../norm.ts";
import { heads } from "./attentions.ts";
import { both, type LayerRule, type LayerUse, linear, zeroHidden } from "./call.ts";
import { maskedAttention, type Seen } from "./masked-attention.ts";

/** One of a layer's norms. */
function normal(use: LayerUse, x: Value, norm: string): Value {
  const beta = use.has(`${norm}/beta`) ? { beta: use.weight(`${norm}/beta`) } : {};
  const weights = { gamma: use.weight(`${norm}/gamma`), ...beta };
  return layerNorm(use.graph, x, weights, use.config.layerNormEpsilon as number);
}

/** x and what a sublayer adds to it, with its norm before or after. */
function sublayer(use: LayerUse, x: Value, norm: string, run: (x: Value) => Value): Value {
  const { graph, config } = use;
  if (config.normalizeFirst) return graph.op("Add", [x, run(normal(use, x, norm))]);
  return normal(use, graph.op("Add", [x, run(x)]), norm);
}

interface Attention {
  readonly name: string;
  readonly x: Value;
  readonly memory: Value;
  readonly seen: Seen;
  /** Takes the weights, where they are wanted. */
  readonly keep?: (weights: Value) => void;
}

function attend(use: LayerUse, { name, x, memory, seen, keep }: Attention): Value {
  const { graph, config } = use;
  const [, H, D] = use.shapeOf(`${name}/query/kernel`) as [number, number, number];
  const q = heads(use, `${name}/query`, x, H, D);
  const [k, v] = ["key", "value"].map((part) => heads(use, `${name}/${part}`, memory, H, D)) as [
    Value,
    Value,
  ];
  const given = { q, k, v, H, Hkv: H, Dv: D, scale: D ** -0.5 };
  const attended = maskedAttention(graph, given, seen, config.returnAttentionScores === true);
  const output = typeof attended === "string" ? attended : attended.output;
  if (typeof attended !== "string") keep?.(attended.weights);
  return linear(use, `${name}/attention_output`, joinHeads(graph, output, H, D));
}

function feedForward(use: LayerUse, x: Value): Value {
  const activation = use.config.activation === "gelu" ? "Gelu" : "Relu";
  const inner = use.graph.op(activation, [linear(use, "feedforward/intermediate", x)]);
  return linear(use, "feedforward/output", inner);
}

const SELF = "self_attention";
const CROSS = "cross_attention";
const [CROSS_NORM, FEED_FORWARD_NORM] = ["cross_attention_layer_norm", "feedforward_layer_norm"];

export const encoderLayerRule: LayerRule = (use) => {
  const { graph, config, inputs } = use;
  const [{ value, mask } = inputs[0]!, pairs] = inputs;
  const allow = both(graph, [
    mask && unsqueeze(graph, mask, 1, 2),
    pairs && unsqueeze(graph, pairs.type === "bool" ? pairs.value : cast(graph, pairs.value, "bool"), 1),
  ]);
  const outputs: Value[] = [];
  const keep = (weights: Value) => void outputs.push(weights);
  const seen = { allow, causal: config.useCausalMask === true };
  const x = zeroHidden(graph, value, mask);
  const read = sublayer(use, x, "self_attention_layer_norm", (y) =>
    attend(use, { name: SELF, x: y, memory: y, seen, keep }),
  );
  const output = sublayer(use, read, FEED_FORWARD_NORM, (y) => feedForward(use, y));
  return { outputs: [output, ...outputs] };
};

export const decoderLayerRule: LayerRule = (use) => {
  const { graph, config, inputs } = use;
  const [own, memory] = inputs;
  const outputs: Value[] = [];
  const keep = (weights: Value) => void outputs.push(weights);
  const [x, theirs] = [own!, memory!].map(({ value, mask }) => zeroHidden(graph, value, mask)) as [
    Value,
    Value,
  ];
  const [ownKeys, theirKeys] = [own!, memory!].map(({ mask }) => mask && unsqueeze(graph, mask, 1, 2));
  const causal = config.useCausalMask !== false;
  const seen = sublayer(use, x, "self_attention_layer_norm", (y) =>
    attend(use, { name: SELF, x: y, memory: y, seen: { allow: ownKeys, causal }, keep }),
  );
  const read = sublayer(use, seen, CROSS_NORM, (y) =>
    attend(use, { name: CROSS, x: y, memory: theirs, seen: { allow: theirKeys }, keep }),
  );
  const output = sublayer(use, read, FEED_FORWARD_NORM, (y) => feedForward(use, y));
  return { outputs: [output, ...outputs] };
};

/** A Transformer's layer between those of a trained model, which two gates open. */
export const gatedCrossAttentionRule: LayerRule = (use) => {
  const { graph, inputs } = use;
  const [own, memory] = inputs;
  const [x, theirs] = [own!, memory!].map(({ value, mask }) => zeroHidden(graph, value, mask)) as [
    Value,
    Value,
  ];
  const opened = (y: Value, gate: string, added: Value) =>
    graph.op("Add", [y, graph.op("Mul", [graph.op("Tanh", [use.weight(gate)]), added])]);
  const seen = { allow: memory!.mask && unsqueeze(graph, memory!.mask, 1, 2) };
  const read = attend(use, { name: CROSS, x: normal(use, x, CROSS_NORM), memory: theirs, seen });
  const y = opened(x, "attention_gate", read);
  return opened(y, "feedforward_gate", feedForward(use, normal(use, y, FEED_FORWARD_NORM)));
};

/** The elements of a set through a few inducing points, by two blocks whose weights begin with their names. */
export const inducedSetRule: LayerRule = (use) => {
  const { graph, config, inputs } = use;
  const { value, mask } = inputs[0]!;
  const M = config.inducingPoints as number;
  const x = zeroHidden(graph, value, mask);
  const block = (part: string, from: Value, memory: Value, seen: Seen) => {
    const of: LayerUse = {
      ...use,
      has: (name) => use.has(`${part}/${name}`),
      shapeOf: (name) => use.shapeOf(`${part}/${name}`),
      values: (name) => use.values(`${part}/${name}`),
      weight: (name, shape) => use.weight(`${part}/${name}`, shape),
    };
    const read = sublayer(of, from, CROSS_NORM, (y) => attend(of, { name: CROSS, x: y, memory, seen }));
    return sublayer(of, read, FEED_FORWARD_NORM, (y) => feedForward(of, y));
  };
  const size = concat(graph, [sizeOf(graph, x, 0), graph.ints([M, 1])], 0);
  const points = graph.op("Expand", [use.weight("inducing_points"), size]);
  const gathered = block("gather", points, x, { allow: mask && unsqueeze(graph, mask, 1, 2) });
  return zeroHidden(graph, block("scatter", x, gathered, { allow: undefined }), mask);
};
