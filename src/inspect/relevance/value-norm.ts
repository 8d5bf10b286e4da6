import { checkNotNegative } from "../../core/check-options.ts";
import { wrongElements } from "../check.ts";
import { AttentionMap } from "../map/map.ts";

/**
 * Weights times the length of what they weigh: a key with a weight of 0.9 and a value of nothing adds nothing.
 *
 *     N[h, t, s] = ‖α[h, t, s] · f(x_s)‖ = α[h, t, s] · ‖v[h, s]‖
 *
 * Symbols: α weights, f(x_s) = v[h, s] the value of key s, best after the output projection of its head.
 * Shapes: a map [H, T, S], norms [Hkv, S] flat, Hkv divides H → a map [H, T, S].
 * Conventions: hidden cells stay hidden; rows do not sum to 1. Cost: that of the map's rows, as they are asked for.
 * Paper: Kobayashi et al. 2020, § 2.2, arxiv.org/abs/2004.10102.
 *
 * @throws ShapeError SHAPE · OptionError OPTION
 * @example
 * const map = denseMap({ H: 1, T: 1, S: 2, weights: [0.75, 0.25] });
 * valueNormMap(map, [0, 2]).row(0, 0).values; // Float32Array [0, 0.5]
 */
export function valueNormMap(map: AttentionMap, norms: ArrayLike<number>): AttentionMap {
  const { H, T, S } = map;
  const Hkv = norms.length / S;
  if (!Number.isSafeInteger(Hkv) || Hkv === 0 || H % Hkv !== 0) {
    throw wrongElements("valueNormMap", "norms", "[Hkv, S]", H * S, norms.length);
  }
  for (const [e, norm] of Array.from(norms).entries()) checkNotNegative("valueNormMap", `norms[${e}]`, norm);
  return new AttentionMap(
    { H, T, S, source: map.source, rowSums: "free", maskSpec: map.maskSpec },
    {
      range: () => [0, S],
      read(h, t, from, to, { values, kinds }, at) {
        const row = map.row(h, t);
        const of = Math.floor((h * Hkv) / H) * S;
        for (let s = from, e = at; s < to; s++, e++) {
          kinds[e] = row.kinds[s]!;
          values[e] = row.values[s]! * norms[of + s]!;
        }
      },
    },
  );
}
