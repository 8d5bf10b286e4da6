import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attentionFlow, denseMap } from "../../../src/inspect/index.ts";
import { FlowNetwork } from "../../../src/inspect/relevance/max-flow.ts";
import { distributions, head } from "../support.ts";

type Edge = readonly [from: number, to: number, capacity: number];

/** The narrowest cut between two nodes: all ways of splitting the others are tried. */
function minCut(nodes: number, edges: readonly Edge[], source: number, target: number): number {
  let least = Infinity;
  for (let side = 0; side < 1 << nodes; side++) {
    const has = (node: number) => (side >> node) & 1;
    if (!has(source) || has(target)) continue;
    const width = edges.reduce((sum, [from, to, c]) => (has(from) && !has(to) ? sum + c : sum), 0);
    least = Math.min(least, width);
  }
  return least;
}

describe("the largest flow", () => {
  it("equals the narrowest cut of any small graph (max-flow min-cut), cycles and parallel edges too", () => {
    const edge = (nodes: number) =>
      fc.tuple(
        fc.nat(nodes - 1),
        fc.nat(nodes - 1),
        fc.integer({ min: 0, max: 64 }).map((n) => n / 8),
      );
    const graphs = fc
      .integer({ min: 2, max: 7 })
      .chain((nodes) => fc.tuple(fc.constant(nodes), fc.array(edge(nodes), { maxLength: 24 })));
    fc.assert(
      fc.property(graphs, ([nodes, edges]) => {
        const network = new FlowNetwork(nodes);
        for (const [from, to, capacity] of edges) network.addEdge(from, to, capacity);
        // Eighths are exact, so nothing is rounded. Twice, as asking must not change the network.
        for (let n = 0; n < 2; n++)
          expect(network.maxFlow(0, nodes - 1)).toBe(minCut(nodes, edges, 0, nodes - 1));
      }),
      { numRuns: 1000 },
    );
  });

  it("takes back what it first sent the wrong way", () => {
    // 0 → 1 → 3 → 5 comes first and leaves 0 → 2 → 3 no way on, until 1 sends its part through 4 instead.
    const network = new FlowNetwork(6);
    for (const [from, to] of [
      [0, 1],
      [0, 2],
      [1, 3],
      [1, 4],
      [2, 3],
      [3, 5],
      [4, 5],
    ] as const)
      network.addEdge(from, to, 1);
    expect(network.maxFlow(0, 5)).toBe(2);
  });
});

describe("attentionFlow", () => {
  it("solves a graph of three layers as by hand", () => {
    // Query 1 of each layer gives a part to position 0 and the rest to itself; position 0 sees itself alone.
    const layer = (part: number) => head(2, 2, [1, 0, part, 1 - part], { right: 0 });
    const layers = [layer(1 / 8), layer(1 / 4), layer(1 / 2)];
    const { flow, share } = attentionFlow(layers, 1, { identity: false });
    // To input 1 there is one path: min(1/2, 3/4, 7/8). To input 0: 1/2 down the left side at once, 1/4 one layer
    // later, and of the 1/4 that is left 1/8 in the last; the left side is 1 wide and carries them all.
    expect([...flow]).toEqual([1 / 2 + 1 / 4 + 1 / 8, 1 / 2]);
    expect(share[0]).toBeCloseTo(7 / 11, 14);
  });

  it("equals the narrowest cut through two layers of three positions, identity added", () => {
    fc.assert(
      fc.property(distributions(3, 3), distributions(3, 3), fc.nat(2), (first, second, query) => {
        const maps = [first, second].map((weights) => head(3, 3, weights));
        const edges: Edge[] = [];
        for (const [l, map] of maps.entries())
          for (let i = 0; i < 3; i++) {
            const row = [...map.row(0, i).values].map((w, j) => w + Number(i === j));
            const sum = row.reduce((total, w) => total + w, 0);
            for (const [j, w] of row.entries()) edges.push([3 * (l + 1) + i, 3 * l + j, w / sum]);
          }
        const { flow } = attentionFlow(maps, query);
        for (let s = 0; s < 3; s++) expect(flow[s]).toBeCloseTo(minCut(9, edges, 6 + query, s), 13);
      }),
      { numRuns: 50 },
    );
  });

  it("is at least what rollout gives, as a flow may choose its way", () => {
    const layer = head(2, 2, [1, 0, 0.5, 0.5], { right: 0 });
    // rollout of the same layers: 0.4375 and 0.5625.
    expect([...attentionFlow([layer, layer], 1).flow]).toEqual([0.5, 0.75]);
  });

  it("sees nothing where a query sees nothing", () => {
    expect(attentionFlow([head(2, 2, [1, 0, 0, 0])], 1, { identity: false })).toEqual({
      flow: new Float64Array(2),
      share: new Float64Array(2),
    });
  });

  it("takes a prefix as inputs that pass through every layer", () => {
    const layer = head(1, 2, [0.5, 0.5], { right: 0, offset: 1 });
    // The query keeps 3/4 of itself and takes 1/4 of the prefix in each layer: by two ways, 1/4 now and 1/4 below.
    const { flow, share } = attentionFlow([layer, layer], 0);
    expect([...flow]).toEqual([1 / 4 + 1 / 4, 3 / 4]);
    expect([...share]).toEqual([0.4, 0.6]);
  });

  it("refuses a query that there is not, and weights after dropout", () => {
    const layer = head(2, 2, [1, 0, 0, 1]);
    expect(() => attentionFlow([layer], 2)).toThrow(
      "attentionFlow: query must be an integer from 0 to 1, got 2",
    );
    const dropped = denseMap({ H: 1, T: 1, S: 1, weights: [2], rowSums: "dropped" });
    expect(() => attentionFlow([dropped], 0)).toThrow("attentionFlow: weights must be those before dropout");
  });
});
