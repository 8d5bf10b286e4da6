import { expect, it } from "vitest";
import {
  createTrace,
  decodeU8Log,
  layerMap,
  thumbnails,
  traceTensor,
  U8LOG_MASKED,
} from "../../src/inspect/index.ts";
import { attend, names } from "./support.ts";

it("shows the largest weight of each block of every head, and is what a trace takes as thumb", () => {
  const [H, T, S] = [2, 67, 41];
  const { weights } = attend({ H, Hkv: 2, T, S, D: 3 }, { maskSpec: { right: 0 } });
  const layer = { alignQ: "t", alignK: "s", maskSpec: { right: 0 }, attn: traceTensor([H, T, S], weights) };
  const tokens = { t: names("t", T), s: names("s", S) };
  const thumb = thumbnails(layerMap(createTrace({ tokens, layers: [layer] }).layers[0]!));
  // 67 cells in at most 32 are blocks of 3.
  expect(thumb.shape).toEqual([2, 23, 14]);
  const shown = decodeU8Log(thumb.data as Uint8Array);
  for (let h = 0; h < H; h++)
    for (let y = 0; y < 23; y++)
      for (let x = 0; x < 14; x++) {
        let most = -1;
        for (let t = 3 * y; t < Math.min(T, 3 * y + 3); t++)
          for (let s = 3 * x; s < Math.min(S, 3 * x + 3); s++)
            if (s <= t) most = Math.max(most, weights[(h * T + t) * S + s]!);
        const cell = (h * 23 + y) * 14 + x;
        if (most < 0) expect(thumb.data[cell]).toBe(U8LOG_MASKED);
        else expect(Math.abs(shown[cell]! / Math.max(most, 1e-6) - 1)).toBeLessThan(0.0278);
      }
  expect(createTrace({ tokens, layers: [{ ...layer, thumb }] }).layers[0]!.thumb).toBe(thumb);
});

it("refuses a side that is none", () => {
  const map = layerMap(
    createTrace({
      tokens: { a: ["x"] },
      layers: [{ alignQ: "a", alignK: "a", attn: traceTensor([1, 1, 1], [1]) }],
    }).layers[0]!,
  );
  expect(() => thumbnails(map, 0)).toThrow("thumbnails: side must be an integer ≥ 1, got 0");
});
