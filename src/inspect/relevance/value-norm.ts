import { checkNotNegative } from "../../core/check-options.ts";
import { ShapeError } from "../../core/errors.ts";
import { MASKED } from "../cells.ts";
import { denseMap } from "../map/dense.ts";
import type { AttentionMap } from "../map/map.ts";

/**
 * Weights times the length of what they weigh: a key with a weight of 0.9 and a value of nothing adds nothing.
 *
 *     N[h, t, s] = ‖α[h, t, s] · f(x_s)‖ = α[h, t, s] · ‖v[h, s]‖
 *
 * Symbols: α weights, f(x_s) = v[h, s] the value of key s, best after the output projection of its head.
 * Shapes: a map [H, T, S], norms [Hkv, S] flat, Hkv divides H → a map [H, T, S].
 * Conventions: hidden cells stay hidden; rows do not sum to 1. Cost: O(H·T·S) time and memory.
 * Paper: Kobayashi et al. 2020, § 2.2, arxiv.org/abs/2004.10102.
 *
 * @throws ShapeError ELEMENTS · OptionError NUMBER_RANGE
 * @example
 * const map = denseMap({ H: 1, T: 1, S: 2, weights: [0.75, 0.25] });
 * valueNormMap(map, [0, 2]).row(0, 0).values; // Float32Array [0, 0.5]
 */
export function valueNormMap(map: AttentionMap, norms: ArrayLike<number>): AttentionMap {
  const { H, T, S } = map;
  const Hkv = norms.length / S;
  if (!Number.isSafeInteger(Hkv) || Hkv === 0 || H % Hkv !== 0) {
    const details = { op: "valueNormMap", name: "norms", letters: "[Hkv, S]", expected: H * S };
    throw new ShapeError("ELEMENTS", { ...details, got: norms.length });
  }
  for (const [e, norm] of Array.from(norms).entries()) checkNotNegative("valueNormMap", `norms[${e}]`, norm);
  const weights = new Float32Array(H * T * S);
  const mask = new Uint8Array(H * T * S);
  for (let h = 0; h < H; h++)
    for (let t = 0; t < T; t++) {
      const { values, kinds } = map.row(h, t);
      const of = Math.floor((h * Hkv) / H) * S;
      for (let s = 0; s < S; s++) {
        const e = (h * T + t) * S + s;
        mask[e] = Number(kinds[s] !== MASKED);
        if (mask[e]) weights[e] = values[s]! * norms[of + s]!;
      }
    }
  return denseMap({ H, T, S, weights, mask, rowSums: "free" });
}
