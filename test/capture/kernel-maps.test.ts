import { beforeAll, describe, expect, it } from "vitest";
import { kernelMaps } from "../../src/capture/index.ts";
import {
  createTrace,
  type LayerInput,
  layerMap,
  type MaskSpec,
  type TraceLayer,
  traceTensor,
} from "../../src/inspect/index.ts";
import { attention, init } from "../../src/kernels/index.ts";
import { drawTrace } from "../../src/views/index.ts";
import { names, randomNumbers } from "../inspect/support.ts";

/** Large enough for the kernels, with a tail in every block. */
const [H, Hkv, T, S, D] = [2, 1, 509, 523, 7];

const float32 = (length: number, seed: number) => Float32Array.from(randomNumbers(length, seed));

function traceOf(more: Partial<LayerInput> = {}, hidden: readonly number[] = []) {
  const [q, k] = [float32(H * T * D, 1), float32(Hkv * S * D, 2)];
  const { maskSpec = {}, softCap } = more;
  const { offset = 0, left, right, queryLength, keyLength } = maskSpec;
  const bias = new Float32Array(S);
  for (const s of hidden) bias[s] = -Infinity;
  const { saved } = attention(
    q,
    k,
    k,
    { B: 1, H, Hkv, T, S, D },
    {
      ...(softCap !== undefined && { softCap }),
      ...((left ?? right) !== undefined && {
        queryOffset: offset,
        window: { ...(left !== undefined && { left }), ...(right !== undefined && { right }) },
      }),
      ...(queryLength !== undefined && { queryLengths: [queryLength] }),
      ...(keyLength !== undefined && { keyLengths: [keyLength] }),
      ...(hidden.length > 0 && { bias: { values: bias, shape: [1, 1, 1, S], dtype: "float32" } }),
    },
  );
  return createTrace({
    tokens: { tgt: names("t", T), src: names("s", S) },
    layers: [
      {
        ...{ alignQ: "tgt", alignK: "src", ...more },
        ...(hidden.length > 0 && { bias: traceTensor([1, 1, S], bias) }),
        q: traceTensor([H, T, D], q),
        k: traceTensor([Hkv, S, D], k),
        lse: traceTensor([H, T], saved.lse),
      },
    ],
  });
}

const MASKS: readonly (readonly [string, MaskSpec])[] = [
  ["nothing hidden", {}],
  ["a causal mask", { right: 0 }],
  ["a window with an offset", { left: 40, right: 3, offset: 14 }],
  ["padding", { queryLength: 401, keyLength: 307 }],
];

describe("kernelMaps", () => {
  beforeAll(async () => void (await init({ threads: 1 })));

  const compare = (layer: TraceLayer) => {
    const [kernels, loops] = [layerMap(layer, "qk", kernelMaps(layer)), layerMap(layer, "qk")];
    for (let h = 0; h < H; h++)
      for (const factor of [2, 13, 523]) {
        const [a, b] = [kernels.pooled(h, factor), loops.pooled(h, factor)];
        expect([a.rows, a.columns]).toEqual([Math.ceil(T / factor), Math.ceil(S / factor)]);
        expect(Buffer.compare(Buffer.from(a.kinds), Buffer.from(b.kinds))).toBe(0);
        // Numbers in −1 … 1: a score of D products has D + 2 roundings of 2⁻²⁴ · D/√D, e^y and lse a few more.
        const most = (D + 8) * Math.sqrt(D) * 2 ** -24;
        const farthest = a.values.reduce((far, w, e) => Math.max(far, Math.abs(w - b.values[e]!)), 0);
        expect(farthest).toBeLessThan(most);
      }
  };

  for (const [what, maskSpec] of MASKS)
    it(`pools as plain loops do, with ${what}`, () => {
      expect(kernelMaps(traceOf({ maskSpec }).layers[0]!)).toBeDefined();
      compare(traceOf({ maskSpec }).layers[0]!);
    });

  it("pools as plain loops do, with soft-capped scores and keys hidden by a bias", () => {
    const hidden = Array.from({ length: 137 }, (_, n) => n + 200);
    compare(traceOf({ softCap: 0.8, maskSpec: { right: 0 } }, [...hidden, 7, 522]).layers[0]!);
  });

  it("leaves masks of flags, stored weights and small maps to plain loops", () => {
    const flags = traceTensor([T, S], new Uint8Array(T * S).fill(1), "bool");
    expect(kernelMaps(traceOf({ mask: flags }).layers[0]!)).toBeUndefined();
    const small = createTrace({
      tokens: { a: ["x"] },
      layers: [{ alignQ: "a", alignK: "a", attn: traceTensor([1, 1, 1], [1]) }],
    });
    expect(kernelMaps(small.layers[0]!)).toBeUndefined();
  });

  it("is what the views of a whole head ask, and their words stay the same", () => {
    const trace = traceOf({ maskSpec: { right: 0 } });
    let asked = 0;
    const computer = (layer: TraceLayer) => {
      asked++;
      return kernelMaps(layer);
    };
    const words = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)/g)].map(([, word]) => word);
    const picture = drawTrace(trace, { view: "heatmap", computer });
    expect(words(picture)).toEqual(words(drawTrace(trace, { view: "heatmap" })));
    expect(words(picture).length).toBeGreaterThan(20);
    expect(drawTrace(trace, { view: "grid", computer }).startsWith("<svg")).toBe(true);
    expect(asked).toBe(2);
  });
});
