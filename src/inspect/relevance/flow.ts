import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import type { AttentionMap } from "../map/map.ts";
import { checkLayers, type FusionOptions, fuseHeads } from "./fuse.ts";
import { FlowNetwork } from "./max-flow.ts";

export interface AttentionFlow {
  /** [S]: the most that can flow from the output to each input. */
  readonly flow: Float64Array;
  /** The same divided by its sum, which the paper compares with other measures. */
  readonly share: Float64Array;
}

/**
 * Attention flow: how much of one output could come from each input, were layers pipes as wide as their weights.
 *
 *     flow_s = the largest flow from node (L, query) to node (0, s),
 *     capacity of (l, i) → (l − 1, j) = Â_l[i, j],    Â_l as in `rollout`
 *
 * Shapes: maps of one stack, first layer first, [H, T, S] each, and a query → [S]; a prefix as in `rollout`.
 * Conventions: as in `rollout`; the flows to two inputs are found apart, so their sum has no meaning of its own.
 * Cost: S flows of O(V²·E) at worst, V = (L + 1)·S and E = L·S²; meant for S up to 64 or so.
 * Paper: Abnar & Zuidema 2020, § 3, arxiv.org/abs/2005.00928; the algorithm: Dinic 1970.
 *
 * @throws OptionError SHAPE, NOT_DISTRIBUTION, OPTION
 * @example
 * const layer = denseMap({ H: 1, T: 2, S: 2, weights: [1, 0, 0.5, 0.5], maskSpec: { right: 0 } });
 * attentionFlow([layer, layer], 1).flow; // Float64Array [0.5, 0.75]
 */
export function attentionFlow(
  maps: readonly AttentionMap[],
  query: number,
  options: FusionOptions = {},
): AttentionFlow {
  const op = "attentionFlow";
  const { T, S, P } = checkLayers(op, maps, options);
  if (!(Number.isSafeInteger(query) && query >= 0 && query < T)) {
    const rule = `an integer from 0 to ${T - 1}`;
    throw new OptionError("OPTION", outOfRange({ op, name: "query", rule, got: query }));
  }
  const network = new FlowNetwork((maps.length + 1) * S);
  for (const [l, map] of maps.entries()) {
    const capacities = fuseHeads(map, options);
    for (let i = 0; i < S; i++)
      for (let j = 0; j < S; j++) {
        const capacity = capacities[i * S + j]!;
        if (capacity > 0) network.addEdge((l + 1) * S + i, l * S + j, capacity);
      }
  }
  const from = maps.length * S + P + query;
  const flow = Float64Array.from({ length: S }, (_, s) => network.maxFlow(from, s));
  const sum = flow.reduce((total, x) => total + x, 0);
  return { flow, share: flow.map((x) => (sum > 0 ? x / sum : 0)) };
}
