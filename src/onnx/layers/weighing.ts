/** heed's layers that add to scores, and those that weigh positions or channels by what they all hold. */
import type { Value } from "../format/graph.ts";
import { range, sizeOf, transpose, unsqueeze } from "../format/operations.ts";
import { alibiBias, type Places, t5Bias } from "../positions.ts";
import { type LayerRule, type LayerUse, linear, zeroHidden } from "./call.ts";
import { weightsOf } from "./masked-attention.ts";

/** Where the queries and keys of scores [B, H, T, S] stand. */
function placesOf({ graph, config, inputs }: LayerUse): Places {
  const { value } = inputs[0]!;
  const offset = graph.ints([(config.queryOffset as number | undefined) ?? 0]);
  const end = graph.op("Add", [offset, sizeOf(graph, value, 2)]);
  return { queries: range(graph, offset, end), keys: range(graph, graph.ints([0]), sizeOf(graph, value, 3)) };
}

export const alibiRule: LayerRule = (use) => {
  const { graph, config, inputs } = use;
  const { value, shape } = inputs[0]!;
  const bias = alibiBias(graph, placesOf(use), shape[1]!, config.alibiBiasMax as number);
  return graph.op("Add", [value, bias]);
};

export const relativeBiasRule: LayerRule = (use) => {
  const { graph, config, inputs, name } = use;
  const [buckets, H] = use.shapeOf("embeddings") as [number, number];
  const maxDistance = config.maxDistance as number;
  const values = () => use.values("embeddings");
  const table = { name: `${name}/distances`, values, H, buckets, maxDistance };
  return graph.op("Add", [inputs[0]!.value, t5Bias(graph, placesOf(use), table, !config.bidirectional)]);
};

export const attentionPoolingRule: LayerRule = (use) => {
  const { graph, inputs } = use;
  const { value, mask } = inputs[0]!;
  const [C] = use.shapeOf("query") as [number];
  const x = zeroHidden(graph, value, mask);
  const products = graph.op("MatMul", [x, use.weight("query", [C, 1])]);
  const scores = transpose(graph, graph.op("Mul", [products, graph.number(C ** -0.5)]), [0, 2, 1]);
  const weights = weightsOf(graph, scores, mask && unsqueeze(graph, mask, 1));
  const sums = graph.op("MatMul", [weights, x]);
  return { outputs: [graph.op("Squeeze", [sums, graph.ints([1])])], mask: null };
};

export const squeezeExcitationRule: LayerRule = (use) => {
  const { graph, config, inputs } = use;
  const { value } = inputs[0]!;
  const means: Value = graph.op("ReduceMean", [value, graph.ints([1, 2])]);
  const hidden = graph.op("Relu", [linear(use, "reduce", means)]);
  const weights = graph.op("Sigmoid", [linear(use, "expand", hidden)]);
  const output = graph.op("Mul", [value, weights]);
  return { outputs: config.returnAttention ? [output, weights] : [output] };
};
