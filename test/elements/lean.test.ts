import { describe, expect, test } from "vitest";
import { leanTrace } from "../../src/elements/lean.ts";
import {
  createTrace,
  type LayerInput,
  layerMap,
  readTrace,
  type TraceInput,
  traceTensor,
  writeTrace,
} from "../../src/inspect/index.ts";
import { causalLayer, imageTrace, noise, selfTrace } from "../views/support.ts";

/** One causal layer of 2 heads over T tokens, as q, k and lse and as its map. */
function both(T: number, D: number, more: Partial<LayerInput> = {}, encoding: "f32" | "u8log" = "f32") {
  const layer = causalLayer(T, 2, 1, D, 3);
  const tokens = { src: Array.from({ length: T }, (_, t) => `t${t}`) };
  const map = layerMap(createTrace({ tokens, layers: [layer] }).layers[0]!);
  const weights = [0, 1].flatMap((h) => Array.from(map.rows(h, 0, T).values));
  const attn = traceTensor([2, T, T], weights, encoding);
  return createTrace({ tokens, layers: [{ ...layer, attn, ...more }] });
}

/** The names of a trace's tensors in its file, and its maps after it went through one. */
function stored(input: TraceInput) {
  const trace = readTrace(writeTrace(leanTrace(createTrace(input))));
  const layer = trace.layers[0]!;
  const names = (["attn", "q", "k", "lse", "grad", "vnorm", "thumb"] as const).filter((name) => layer[name]);
  return { trace, names, values: layerMap(layer).rows(layer.H - 1, 0, layer.T).values };
}

describe("leanTrace", () => {
  test("keeps q, k and lse where they are smaller than the map, and shows the same weights", () => {
    const trace = both(31, 4);
    const { names, values } = stored(trace);
    expect(names).toEqual(["q", "k", "lse"]);
    const whole = layerMap(trace.layers[0]!).rows(1, 0, 31).values;
    expect(Math.max(...values.map((x, n) => Math.abs(x - whole[n]!)))).toBeLessThan(1e-6);
    expect(Math.max(...values)).toBe(1);
  });

  test("keeps the map, to the bit, where it is the smaller one", () => {
    const trace = both(5, 16);
    const { names, values } = stored(trace);
    expect(names).toEqual(["attn"]);
    expect(values).toEqual(layerMap(trace.layers[0]!).rows(1, 0, 5).values);
  });

  test("keeps the map of weights that are not the softmax of q and k", () => {
    for (const rowSums of ["dropped", "free"] as const)
      expect(stored(both(31, 4, { rowSums })).names).toEqual(["attn"]);
  });

  test("drops a map of bytes, which nobody reads beside q, k and lse", () => {
    expect(stored(both(5, 16, {}, "u8log")).names).toEqual(["q", "k", "lse"]);
  });

  test("leaves layers with one of the two as they are, but for what no element shows", () => {
    expect(stored(selfTrace()).names).toEqual(["q", "k", "lse"]);
    const grad = traceTensor([2, 5, 5], noise(50, 1));
    const vnorm = traceTensor([1, 5], noise(5, 2).map(Math.abs));
    const thumb = traceTensor([2, 1, 1], [0.5, 0.5], "u8log");
    const { names, trace } = stored(both(5, 16, { grad, vnorm, thumb, scores: { raw: grad } }));
    expect(names).toEqual(["attn", "thumb"]);
    expect(trace.layers[0]!.scores).toEqual({});
  });

  test("keeps the image, and not the glimpses and gates", () => {
    const { trace } = stored(imageTrace());
    expect(trace.image).toEqual(imageTrace().image);
    expect(trace.grid).toEqual(imageTrace().grid);
    expect([trace.glimpses, Object.keys(trace.gates)]).toEqual([[], []]);
  });
});
