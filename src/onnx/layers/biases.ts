/** heed's layers that add to scores. */
import { range, sizeOf } from "../format/operations.ts";
import { alibiBias, type Places, t5Bias } from "../positions.ts";
import type { LayerRule, LayerUse } from "./call.ts";

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
