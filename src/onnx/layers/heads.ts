/** heed's layers of heads, each with scores or weights of its own. */
import { weightedSum } from "../attention.ts";
import type { Value } from "../format/graph.ts";
import { joinHeads, transpose } from "../format/operations.ts";
import { layerNorm, rmsNorm } from "../norm.ts";
import { heads, type Inputs, inputsOf, ofKeys, type Sizes } from "./attentions.ts";
import { both, type LayerRule, type LayerUse, linear, zeroHidden } from "./call.ts";
import { maskedAttention, orderMask, weightsOf } from "./masked-attention.ts";

/** The fields of sizes. */
const sizesOf = ({ config }: LayerUse) =>
  config as unknown as { numHeads: number; numKeyValueHeads?: number; keyDim: number; valueDim?: number };

/** What a mechanism of heads takes: heads [B, H, T, D], [B, Hkv, S, D] and [B, Hkv, S, Dv], and which keys are there. */
export interface GivenHeads extends Inputs, Sizes {
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
  /** bool [B, 1, 1, S]. */
  readonly allow: Value | undefined;
}

/** What layers of heads share: fields, inputs, the output's projection; `weigh` gives heads [B, H, T, Dv]. */
export function headLayer(use: LayerUse, weigh: (given: GivenHeads) => Value): Value {
  const { numHeads: H, numKeyValueHeads: Hkv = H, keyDim: D, valueDim: Dv = D } = sizesOf(use);
  const inputs = inputsOf(use);
  const q = heads(use, "query", inputs.query, H, D);
  const k = heads(use, "key", inputs.key, Hkv, D);
  const v = heads(use, "value", inputs.value, Hkv, Dv);
  const allow = ofKeys(use, inputs.visible);
  const output = weigh({ ...inputs, H, Hkv, D, Dv, q, k, v, allow });
  const rows = zeroHidden(use.graph, joinHeads(use.graph, output, H, Dv), inputs.present);
  return linear(use, "attention_output", rows);
}

export const qkNormRule: LayerRule = (use) =>
  headLayer(use, ({ q, k, v, H, Hkv, D, Dv, allow }) => {
    const { graph, config } = use;
    const epsilon = config.epsilon as number;
    const causal = config.useCausalMask === true;
    if (config.norm === "l2") {
      const unit = (x: Value) => {
        const squares = graph.op("ReduceSum", [graph.op("Mul", [x, x]), graph.ints([-1])]);
        const root = graph.op("Sqrt", [graph.op("Add", [squares, graph.number(epsilon)])]);
        return graph.op("Div", [x, root]);
      };
      const asked = graph.op("Mul", [unit(q), use.weight("factor", [1, H, 1, 1])]);
      const given = { q: asked, k: unit(k), v, H, Hkv, Dv, scale: 1 };
      return maskedAttention(graph, given, { allow, causal }, false) as Value;
    }
    const norm = (name: string, x: Value) => {
      const gamma = use.weight(`${name}_norm/gamma`);
      return config.norm === "rms"
        ? rmsNorm(graph, x, gamma, epsilon)
        : layerNorm(graph, x, { gamma }, epsilon);
    };
    const given = { q: norm("query", q), k: norm("key", k), v, H, Hkv, Dv, scale: D ** -0.5 };
    return maskedAttention(graph, given, { allow, causal }, false) as Value;
  });

export const talkingHeadsRule: LayerRule = (use) =>
  headLayer(use, ({ q, k, v, H, D, Dv, allow }) => {
    const { graph, config } = use;
    const scaled = graph.op("Mul", [q, graph.number(D ** -0.5)]);
    const products = graph.op("MatMul", [scaled, transpose(graph, k, [0, 1, 3, 2])]);
    // Heads last, so that what they tell each other is a product.
    const mix = (x: Value, name: string) =>
      transpose(
        graph,
        graph.op("MatMul", [transpose(graph, x, [0, 2, 3, 1]), use.weight(name)]),
        [0, 3, 1, 2],
      );
    const seen = both(graph, [allow, orderMask(graph, { q, k }, { causal: config.useCausalMask === true })]);
    const mixed = mix(weightsOf(graph, mix(products, "scores/kernel"), seen), "weights/kernel");
    return weightedSum(graph, mixed, { v, H, Hkv: H, Dv });
  });

export const differentialRule: LayerRule = (use) => {
  const { graph, config } = use;
  const { numHeads: H, numKeyValueHeads: Hkv = H, keyDim: D, valueDim: Dv = 2 * D } = sizesOf(use);
  const inputs = inputsOf(use);
  const v = heads(use, "value", inputs.value, Hkv, Dv);
  const allow = ofKeys(use, inputs.visible);
  const causal = config.useCausalMask === true;
  const [first, second] = [1, 2].map((n) => {
    const q = heads(use, `query${n}`, inputs.query, H, D);
    const k = heads(use, `key${n}`, inputs.key, Hkv, D);
    return maskedAttention(
      graph,
      { q, k, v, H, Hkv, Dv, scale: D ** -0.5 },
      { allow, causal },
      false,
    ) as Value;
  });
  const power = (n: number) => {
    const products = graph.op("Mul", [use.weight(`lambda_q${n}`), use.weight(`lambda_k${n}`)]);
    return graph.op("Exp", [graph.op("ReduceSum", [products], { keepdims: 0 })]);
  };
  const start = config.lambdaInit as number;
  const lambda = graph.op("Add", [graph.op("Sub", [power(1), power(2)]), graph.number(start)]);
  const difference = graph.op("Sub", [first!, graph.op("Mul", [second!, lambda])]);
  const norm = rmsNorm(graph, difference, use.weight("norm/gamma"), config.epsilon as number);
  const rows = joinHeads(graph, graph.op("Mul", [norm, graph.number(1 - start)]), H, Dv);
  return linear(use, "attention_output", zeroHidden(graph, rows, inputs.present));
};
