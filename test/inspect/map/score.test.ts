import { expect, test } from "vitest";
import { createTrace, layerMap, scoreSteps, traceTensor } from "../../../src/inspect/index.ts";
import type { LayerInput } from "../../../src/inspect/trace/trace.ts";

const [H, Hkv, T, S, D] = [4, 2, 3, 5, 7];
const numbers = (length: number, from: number) => Float32Array.from({ length }, (_, n) => Math.sin(from + n));

/** A layer whose lse is that of its scores. */
function layer(more: Partial<LayerInput>) {
  const tokens = { q: ["a", "b", "c"], k: ["a", "b", "c", "d", "e"] };
  const given = {
    ...{ alignQ: "q", alignK: "k", q: traceTensor([H, T, D], numbers(H * T * D, 1)) },
    ...{
      k: traceTensor([Hkv, S, D], numbers(Hkv * S * D, 2)),
      lse: traceTensor([H, T], new Float32Array(H * T)),
    },
  };
  return createTrace({ tokens, layers: [{ ...given, ...more, rowSums: "free" }] }).layers[0]!;
}

test("the last step is the score whose exponential is the weight, with grouped heads, caps and biases", () => {
  const bias = traceTensor([1, T, S], numbers(T * S, 3));
  for (const more of [{}, { scale: 0.3 }, { softCap: 2 }, { bias }, { scale: 2, softCap: 1.5, bias }]) {
    const own = layer(more);
    const map = layerMap(own);
    for (const [h, t, s] of [
      [0, 0, 0],
      [1, 2, 4],
      [3, 1, 3],
    ] as const) {
      const { scaled, capped, biased } = scoreSteps(own, h, t, s)!;
      const last = biased ?? capped ?? scaled;
      const weight = map.row(h, t).values[s]!;
      expect(Math.abs(Math.exp(last) - weight)).toBeLessThanOrEqual(2 ** -23 * weight);
    }
  }
});

test("a layer of weights alone has no scores", () => {
  const attn = traceTensor([1, 1, 2], [0.25, 0.75]);
  const trace = createTrace({
    tokens: { a: ["x"], b: ["y", "z"] },
    layers: [{ alignQ: "a", alignK: "b", attn }],
  });
  expect(scoreSteps(trace.layers[0]!, 0, 0, 1)).toBeUndefined();
});
