import { checkFinite } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { MASKED } from "../cells.ts";
import { checkElements } from "../check.ts";
import { denseMap } from "../map/dense.ts";
import type { AttentionMap } from "../map/map.ts";
import { checkLayers, scaleToOne } from "./fuse.ts";
import { multiply, type Rollout } from "./rollout.ts";

/**
 * Gradient relevance: how much each input position counts for one number that a model gave, a class's score say.
 *
 *     R_0 = I,    R_l = R_{l−1} + Ā_l · R_{l−1},    Ā_l = mean over heads of (dA_l ⊙ A_l)⁺
 *
 * Symbols: A_l weights of layer l, dA_l the gradient of the number by them, (x)⁺ = max(x, 0).
 * Shapes: maps and gradients of one stack, first layer first, [H, T, S] each, gradients flat → [T, S]; a prefix of
 * P = S − T keys as in `rollout`. Row t is what counts for output t: take the row of the position that the number was read from, such as a class token's.
 * Conventions: rows do not sum to 1; the place of each query itself holds the 1 of the residual connection. Gradients in hidden places are
 * not read. It tells what made this number larger, not what attention looked at in general, as `rollout` does.
 * Cost: O(L·T·S²) time, O(S²) memory. Paper: Chefer, Gur & Wolf 2021, § 3.1, arxiv.org/abs/2103.15679.
 *
 * @throws OptionError SHAPE, NOT_DISTRIBUTION, OPTION · ShapeError SHAPE
 * @example
 * const layer = denseMap({ H: 1, T: 2, S: 2, weights: [0.5, 0.5, 0.25, 0.75] });
 * gradientRelevance([layer], [[2, -1, 0, 4]]).weights; // Float64Array [2, 0, 0, 4]
 */
export function gradientRelevance(
  maps: readonly AttentionMap[],
  gradients: readonly ArrayLike<number>[],
): Rollout {
  const op = "gradientRelevance";
  const { T, S, P } = checkLayers(op, maps, {});
  if (gradients.length !== maps.length) {
    const rule = `${maps.length}, one for each layer`;
    throw new OptionError(
      "OPTION",
      outOfRange({
        op,
        name: "the number of gradients",
        rule,
        got: gradients.length,
      }),
    );
  }
  const raising = maps.map((map, layer) => raised(op, `gradients[${layer}]`, map, gradients[layer]!));
  let relevance = identity(S);
  for (const mixing of raising) relevance = passed(mixing, relevance, T, S, P);
  const weights = relevance.slice(P * S);
  return { weights, map: denseMap({ H: 1, T, S, weights, rowSums: "free" }) };
}

export function identity(n: number): Float64Array<ArrayBuffer> {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) out[i * n + i] = 1;
  return out;
}

/** R + Ā · R, R being [P + T, S]: its last T rows get what Ā [T, P + T] mixes. */
export function passed(
  mixing: Float64Array,
  R: Float64Array,
  T: number,
  S: number,
  P = 0,
): Float64Array<ArrayBuffer> {
  const added = multiply(mixing, R, T, P + T, S);
  return Float64Array.from(R, (x, e) => (e < P * S ? x : x + added[e - P * S]!));
}

/**
 * Rows of R − I scaled to sum to 1: what came through attention, without the residual connection. R is [T, S], and the
 * place of row t is S − T + t.
 */
export function withoutResidual(R: Float64Array, T: number, S = T): Float64Array<ArrayBuffer> {
  const out = Float64Array.from(R);
  for (let t = 0; t < T; t++) {
    out[t * S + S - T + t]! -= 1;
    scaleToOne(out.subarray(t * S, (t + 1) * S));
  }
  return out;
}

/** mean over heads of (dA ⊙ A)⁺, [T, S]. @param name what messages call the gradient */
export function raised(
  op: string,
  name: string,
  map: AttentionMap,
  gradient: ArrayLike<number>,
): Float64Array {
  const { H, T, S } = map;
  checkElements(op, name, "[H, T, S]", H * T * S, gradient.length);
  const out = new Float64Array(T * S);
  for (let h = 0; h < H; h++)
    for (let t = 0; t < T; t++) {
      const { values, kinds } = map.row(h, t);
      for (let s = 0; s < S; s++) {
        if (kinds[s] === MASKED) continue;
        const got = gradient[(h * T + t) * S + s]!;
        // Its name is made only where it is needed: there are H·T² of them.
        if (!Number.isFinite(got)) checkFinite(op, `the gradient of head ${h}, query ${t}, key ${s}`, got);
        out[t * S + s]! += Math.max(0, values[s]! * got) / H;
      }
    }
  return out;
}
