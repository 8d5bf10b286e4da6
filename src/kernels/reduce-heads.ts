/**
 * Weights of all heads as one map, by request only: no call of heed averages heads on its own.
 *
 *     mean   out[b,i,j] = Σ_h w[b,h,i,j] / H        max   the largest        min   the smallest
 *
 * Shapes: weights [B, H, T, S] → [B, T, S]; the mean is summed in float64. Rows of means still sum to what the rows
 * of the heads do, rows of `max` to more and of `min` to less. A NaN in any head stays.
 */

import { OptionError } from "../core/errors.ts";
import { notAChoice } from "../core/faults.ts";
import type { AttentionShapes } from "../core/notation.ts";
import { checkObject, described } from "./arguments.ts";
import { checkElements, checkKinds, checkLetters } from "./check.ts";
import type { FloatArray } from "./layout.ts";

const WAYS = ["mean", "max", "min"] as const;
export type HeadReduction = (typeof WAYS)[number];

/**
 * @throws OptionError OPTION, DTYPE · ShapeError SHAPE
 * @example
 * const weights = Float32Array.of(1, 0, 0.5, 0.5); // two heads, one query, two keys
 * reduceHeads(weights, { B: 1, H: 2, T: 1, S: 2 }, "mean"); // Float32Array [0.75, 0.25]
 */
export function reduceHeads<A extends FloatArray>(
  weights: A,
  sizes: Pick<AttentionShapes, "B" | "H" | "T" | "S">,
  how: HeadReduction,
): A {
  const op = "reduceHeads";
  if (!WAYS.includes(how)) {
    throw new OptionError(
      "OPTION",
      notAChoice({
        op,
        name: "how",
        choices: WAYS.map((way) => `"${way}"`),
        got: described(how),
      }),
    );
  }
  checkObject(op, "sizes", sizes, "name the sizes B, H, T and S");
  checkLetters(op, "sizes", sizes, ["B", "H", "T", "S"], "name the sizes of weights [B, H, T, S]");
  checkKinds(op, "weights", [weights]);
  const { B, H, T, S } = sizes;
  checkElements(op, "weights", "B·H·T·S", [B, H, T, S], weights.length);
  const map = T * S;
  const out = new (weights.constructor as new (n: number) => A)(B * map);
  for (let e = 0; e < out.length; e++) {
    const first = Math.floor(e / map) * H * map + (e % map);
    let all = weights[first]!;
    for (let h = 1; h < H; h++) {
      const w = weights[first + h * map]!;
      all = how === "mean" ? all + w : Math[how](all, w);
    }
    out[e] = how === "mean" ? all / H : all;
  }
  return out;
}
