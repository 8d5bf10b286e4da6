import { describe, expect, test } from "vitest";
import {
  attentionFlow,
  createTrace,
  type denseMap,
  gradientRelevance,
  layerMap,
  rollout,
  traceTensor,
} from "../../src/inspect/index.ts";
import { drawTrace, THROUGH } from "../../src/views/index.ts";
import { rolloutView } from "../../src/views/rollout.ts";
import { noise, rows, selfTrace, WORDS } from "./support.ts";

const T = WORDS.length;

/** Two layers of two heads over seven words, with the gradient of a number by their weights. */
function gradientTrace() {
  const layers = [0, 1].map((l) => {
    const attn = new Float32Array([...rows(T, T, 3 * l + 1), ...rows(T, T, 3 * l + 2)]);
    const grad = traceTensor([2, T, T], noise(2 * T * T, l + 11));
    return { alignQ: "src", alignK: "src", attn: traceTensor([2, T, T], attn), grad };
  });
  return createTrace({ tokens: { src: WORDS }, layers });
}

const rowOf = (map: ReturnType<typeof denseMap>, t: number) => Array.from(map.row(0, t).values);

describe("the view rollout", () => {
  test("through flow shows the most that can flow from each input to each output, as shares", () => {
    const trace = selfTrace();
    const { map, shown } = rolloutView.cells!(trace, { through: "flow" });
    expect(shown).toBe("attention flow of layers 0 to 1");
    const maps = trace.layers.map((layer) => layerMap(layer));
    // Its layers are causal: what comes later is hidden.
    expect(Array.from(map.row(0, 0).kinds)).toEqual([0, 1, 1, 1, 1, 1, 1]);
    for (let t = 0; t < T; t++)
      expect(rowOf(map, t)).toEqual(Array.from(attentionFlow(maps, t).share, Math.fround));
  });

  test("through gradient shows Chefer's relevance without the residual connection, as shares", () => {
    const trace = gradientTrace();
    const { map, shown } = rolloutView.cells!(trace, { through: "gradient" });
    expect(shown).toBe("gradient relevance of layers 0 to 1");
    const maps = trace.layers.map((layer) => layerMap(layer));
    const { weights } = gradientRelevance(
      maps,
      trace.layers.map(({ grad }) => grad!.slice()),
    );
    for (let t = 0; t < T; t++) {
      const bare = Array.from({ length: T }, (_, s) => weights[t * T + s]! - Number(s === t));
      const sum = bare.reduce((total, x) => total + x, 0);
      // Shares are kept as float32.
      for (const [s, share] of rowOf(map, t).entries())
        expect(Math.abs(share - bare[s]! / sum)).toBeLessThan(2 ** -24);
    }
  });

  test("draws each way with its name and what it assumes, and the same without a word as through rollout", () => {
    const trace = gradientTrace();
    const titles = THROUGH.map((through) => drawTrace(trace, { view: "rollout", through }));
    expect(titles.map((svg) => /<title[^>]*>([^<]*)/.exec(svg)![1])).toEqual([
      "rollout of layers 0 to 1",
      "attention flow of layers 0 to 1",
      "gradient relevance of layers 0 to 1",
    ]);
    expect(titles[1]).toContain("The most that can flow to each input");
    expect(titles[2]).toContain("What made the number larger whose gradient was taken.");
    expect(drawTrace(trace, { view: "rollout" })).toBe(titles[0]);
  });

  test("draws queries after a prefix, which stands among the keys, through each way", () => {
    const [T, S] = [3, 5];
    const tokens = { new: WORDS.slice(2, S), all: WORDS.slice(0, S) };
    const layers = [1, 2].map((seed) => ({
      ...{ alignQ: "new", alignK: "all", maskSpec: { offset: S - T } },
      attn: traceTensor([1, T, S], rows(T, S, seed)),
      grad: traceTensor([1, T, S], noise(T * S, seed + 11)),
    }));
    const trace = createTrace({ tokens, layers });
    const maps = trace.layers.map((layer) => layerMap(layer));
    const through = (way: "rollout" | "flow" | "gradient") => {
      expect(drawTrace(trace, { view: "rollout", through: way })).toContain("keys: all");
      const { map } = rolloutView.cells!(trace, { through: way });
      expect([map.T, map.S]).toEqual([T, S]);
      return Array.from({ length: T }, (_, t) => rowOf(map, t));
    };
    const matrix = (weights: ArrayLike<number>) =>
      Array.from({ length: T }, (_, t) =>
        Array.from(weights)
          .slice(t * S, (t + 1) * S)
          .map(Math.fround),
      );
    expect(through("rollout")).toEqual(matrix(rollout(maps).weights));
    expect(through("flow")).toEqual(
      [0, 1, 2].map((t) => Array.from(attentionFlow(maps, t).share, Math.fround)),
    );
    const { weights } = gradientRelevance(
      maps,
      trace.layers.map(({ grad }) => grad!.slice()),
    );
    const bare = through("gradient");
    for (let t = 0; t < T; t++) {
      const row = Array.from(weights.subarray(t * S, (t + 1) * S), (w, s) => w - Number(s === S - T + t));
      const sum = row.reduce((total, w) => total + w, 0);
      for (let s = 0; s < S; s++) expect(Math.abs(bare[t]![s]! - row[s]! / sum)).toBeLessThan(2 ** -24);
    }
    const unsaid = { ...trace, layers: trace.layers.map((layer) => ({ ...layer, maskSpec: {} })) };
    expect(() => drawTrace(unsaid, { view: "rollout" })).toThrow(
      'drawTrace: layer 0 must be self-attention over tokens["new"], like all layers of the view rollout, got queries "new" and keys "all"; keep the layers of one stack in a trace',
    );
  });

  test("says what it needs: gradients, few tokens, a way that there is", () => {
    const draw = (through: string, trace = selfTrace()) =>
      drawTrace(trace, { view: "rollout", through: through as "flow" });
    expect(() => draw("gradient")).toThrow(
      "drawTrace: block 0 must have the gradient of its weights for the view rollout through gradients: grad.0 [H, T, S], got none; write it when the trace is made",
    );
    expect(() => draw("magic")).toThrow(
      "drawTrace: through must be one of rollout, flow, gradient, got magic",
    );
    const long = createTrace({
      tokens: { src: Array.from({ length: 65 }, (_, n) => `t${n}`) },
      layers: [{ alignQ: "src", alignK: "src", attn: traceTensor([1, 65, 65], rows(65, 65, 4)) }],
    });
    expect(() => draw("flow", long)).toThrow(
      "drawTrace: layer 0 must have at most 64 tokens for the view rollout through flow, got 65; roll out a shorter input",
    );
  });
});
