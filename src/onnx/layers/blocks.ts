/** heed's layers of a Transformer's encoder and decoder. */
import type { Value } from "../format/graph.ts";
import { cast, joinHeads, unsqueeze } from "../format/operations.ts";
import { layerNorm } from "../norm.ts";
import { heads } from "./attentions.ts";
import { both, type LayerRule, type LayerUse, linear, zeroHidden } from "./call.ts";
import { maskedAttention, type Seen } from "./masked-attention.ts";

/** x and what a sublayer adds to it, with its norm before or after. */
function sublayer(use: LayerUse, x: Value, norm: string, run: (x: Value) => Value): Value {
  const { graph, config } = use;
  const normal = (y: Value) => {
    const beta = use.has(`${norm}/beta`) ? { beta: use.weight(`${norm}/beta`) } : {};
    return layerNorm(
      graph,
      y,
      { gamma: use.weight(`${norm}/gamma`), ...beta },
      config.layerNormEpsilon as number,
    );
  };
  if (config.normalizeFirst) return graph.op("Add", [x, run(normal(x))]);
  return normal(graph.op("Add", [x, run(x)]));
}

interface Attention {
  readonly name: string;
  readonly x: Value;
  readonly memory: Value;
  readonly seen: Seen;
  /** Takes the weights, where they are wanted. */
  readonly keep: (weights: Value) => void;
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
  if (typeof attended !== "string") keep(attended.weights);
  return linear(use, `${name}/attention_output`, joinHeads(graph, output, H, D));
}

function feedForward(use: LayerUse, x: Value): Value {
  const activation = use.config.activation === "gelu" ? "Gelu" : "Relu";
  const inner = use.graph.op(activation, [linear(use, "feedforward/intermediate", x)]);
  return linear(use, "feedforward/output", inner);
}

const SELF = "self_attention";
const CROSS = "cross_attention";

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
  const output = sublayer(use, read, "feedforward_layer_norm", (y) => feedForward(use, y));
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
  const read = sublayer(use, seen, "cross_attention_layer_norm", (y) =>
    attend(use, { name: CROSS, x: y, memory: theirs, seen: { allow: theirKeys }, keep }),
  );
  const output = sublayer(use, read, "feedforward_layer_norm", (y) => feedForward(use, y));
  return { outputs: [output, ...outputs] };
};
