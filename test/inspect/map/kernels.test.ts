import { expect, it } from "vitest";
import {
  type Cells,
  createTrace,
  layerMap,
  type MapComputer,
  traceTensor,
  visibleKeys,
} from "../../../src/inspect/index.ts";
import { attention, init, probe } from "../../../src/kernels/index.ts";
import { names, randomNumbers } from "../support.ts";

it("the kernels' probe can do a map's work, and their lse is what a trace keeps", async () => {
  await init({ threads: 1 });
  const [H, Hkv, T, S, D] = [6, 2, 13, 17, 5];
  const maskSpec = { left: 6, right: 0, offset: S - T };
  const float32 = (length: number, seed: number) => Float32Array.from(randomNumbers(length, seed));
  const [q, k, v] = [float32(H * T * D, 1), float32(Hkv * S * D, 2), float32(Hkv * S * D, 3)];
  const options = { causal: "bottomRight", window: { left: 6 } } as const;
  const { saved } = attention(q, k, v, { B: 1, H, Hkv, T, S, D }, options);
  let asked = 0;
  const computer: MapComputer = {
    rows(head, begin, end): Cells {
      asked++;
      const index = Array.from({ length: end - begin }, (_, n) => begin + n);
      const { weights } = probe(saved, { rows: index }).rows;
      const size = index.length * S;
      const kinds = Uint8Array.from({ length: size }, (_, e) => {
        const [start, stop] = visibleKeys(maskSpec, begin + Math.floor(e / S), S);
        return e % S >= start && e % S < stop ? 0 : 1;
      });
      return { rows: index.length, columns: S, values: weights.slice(head * size, (head + 1) * size), kinds };
    },
  };
  const tensors = {
    q: traceTensor([H, T, D], q),
    k: traceTensor([Hkv, S, D], k),
    lse: traceTensor([H, T], saved.lse),
  };
  const tokens = { tgt: names("t", T), src: names("s", S) };
  const trace = createTrace({ tokens, layers: [{ alignQ: "tgt", alignK: "src", maskSpec, ...tensors }] });
  const [served, plain] = [layerMap(trace.layers[0]!, "qk", computer), layerMap(trace.layers[0]!)];
  for (let h = 0; h < H; h++) {
    const [a, b] = [served.rows(h, 2, 9), plain.rows(h, 2, 9)];
    expect(a.kinds).toEqual(b.kinds);
    // Scores stay below 5 in size: float32 holds them and the lse to 5·2⁻²⁴ each, which moves weights ≤ 1 by that.
    for (const [e, w] of a.values.entries()) expect(Math.abs(b.values[e]! - w)).toBeLessThan(10 * 2 ** -24);
  }
  expect(asked).toBe(H);
});
