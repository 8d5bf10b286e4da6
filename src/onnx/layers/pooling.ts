/** heed's layers that make of a sequence of any length a vector, or a few. */
import { scores, weightedSum } from "../attention.ts";
import { joinHeads, transpose, unsqueeze } from "../format/operations.ts";
import { heads, ofKeys } from "./attentions.ts";
import { type LayerRule, linear, zeroHidden } from "./call.ts";
import { weightsOf } from "./masked-attention.ts";

export const attentionPoolingRule: LayerRule = (use) => {
  const { graph, inputs } = use;
  const { value, mask } = inputs[0]!;
  const [C] = use.shapeOf("query") as [number];
  const x = zeroHidden(graph, value, mask);
  const products = graph.op("MatMul", [x, use.weight("query", [C, 1])]);
  const logits = transpose(graph, graph.op("Mul", [products, graph.number(C ** -0.5)]), [0, 2, 1]);
  const weights = weightsOf(graph, logits, mask && unsqueeze(graph, mask, 1));
  const sums = graph.op("MatMul", [weights, x]);
  return { outputs: [graph.op("Squeeze", [sums, graph.ints([1])])], mask: null };
};

export const patchAttentionRule: LayerRule = (use) => {
  const { graph, inputs } = use;
  const [query, patches] = inputs;
  const [, D] = use.shapeOf("query/kernel") as [number, number];
  const x = zeroHidden(graph, patches!.value, patches!.mask);
  const asked = graph.op("Tanh", [linear(use, "query", query!.value)]);
  const q = unsqueeze(graph, graph.op("Mul", [asked, graph.number(D ** -0.5)]), 1);
  const logits = graph.op("MatMul", [q, transpose(graph, linear(use, "key", x), [0, 2, 1])]);
  const weights = weightsOf(graph, logits, patches!.mask && unsqueeze(graph, patches!.mask, 1));
  const sums = graph.op("MatMul", [weights, linear(use, "value", x)]);
  return { outputs: [graph.op("Squeeze", [sums, graph.ints([1])])], mask: null };
};

export const multiHeadPoolingRule: LayerRule = (use) => {
  const { graph, inputs } = use;
  const { value, mask } = inputs[0]!;
  const x = zeroHidden(graph, value, mask);
  const [T, C] = use.shapeOf("seeds") as [number, number];
  const [, H, D] = use.shapeOf("query/kernel") as [number, number, number];
  const [, Hkv, Dv] = use.shapeOf("value/kernel") as [number, number, number];
  const q = heads(use, "query", use.weight("seeds", [1, T, C]), H, D);
  const k = heads(use, "key", x, Hkv, D);
  const v = heads(use, "value", x, Hkv, Dv);
  const given = { q, k, v, H, Hkv, Dv, scale: D ** -0.5 };
  const weights = weightsOf(graph, scores(graph, given), ofKeys(use, mask));
  const rows = joinHeads(graph, weightedSum(graph, weights, given), H, Dv);
  return { outputs: [linear(use, "attention_output", rows)], mask: null };
};
