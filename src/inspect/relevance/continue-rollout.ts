import { OptionError } from "../../core/errors.ts";
import { denseMap } from "../map/dense.ts";
import type { AttentionMap } from "../map/map.ts";
import { checkLayers, type FusionOptions, fuseHeads, sharedMask } from "./fuse.ts";
import type { Rollout } from "./rollout.ts";

/** A rollout that can be gone on with: what each layer's positions, so far, are made of. */
export interface ContinuedRollout extends Rollout {
  /** R_l of each layer [S, S]. */
  readonly layers: readonly Float64Array[];
}

/**
 * Rollout from a prefix whose own rollout is known: of a prompt and then of the steps of cached decoding, whose traces have queries
 * for what is new alone.
 *
 *     R_0 = I,    R_l[t] = Σ_s Â_l[t, s] · R_{l−1}[s] for the new positions t, and what it was for those before
 *
 * Shapes: maps of the new queries, first layer first, [H, T, S] with S = P + T → [T, S]; P is how far `before` had come, 0 at
 * first. Conventions: Â as in `rollout`, rows sum to 1; step by step it gives the rows of the rollout of the whole causal
 * sequence, where `rollout` alone takes each key of the prefix for an input of its own. Maps say their prefix by
 * `maskSpec.offset`. Cost: O(L·T·S²) a step, memory O(L·S²).
 * Paper: Abnar & Zuidema 2020, § 3, arxiv.org/abs/2005.00928.
 *
 * @throws OptionError SHAPE, NOT_DISTRIBUTION, OPTION
 * @example
 * const prompt = denseMap({ H: 1, T: 1, S: 1, weights: [1], maskSpec: { right: 0 } });
 * const step = denseMap({ H: 1, T: 1, S: 2, weights: [0.5, 0.5], maskSpec: { right: 0, offset: 1 } });
 * const first = continueRollout(undefined, [prompt, prompt]);
 * continueRollout(first, [step, step]).weights; // Float64Array [0.4375, 0.5625]
 */
export function continueRollout(
  before: ContinuedRollout | undefined,
  maps: readonly AttentionMap[],
  options: FusionOptions = {},
): ContinuedRollout {
  const op = "continueRollout";
  const { T, S, P } = checkLayers(op, maps, options);
  const [come, many] = [before?.map.S ?? 0, before?.layers.length ?? maps.length];
  if (come !== P || many !== maps.length) {
    const rule = `the maps must go on from ${come} positions in ${many} layers`;
    const got = `a prefix of ${P} in ${maps.length}`;
    const remedy = "pass what the last step returned, and each step once";
    throw new OptionError("SHAPE", { op, rule, got, remedy });
  }
  const layers: Float64Array[] = [];
  for (const [l, map] of maps.entries()) {
    const mixing = fuseHeads(map, options);
    const rolled = new Float64Array(S * S);
    const known = before?.layers[l];
    for (let p = 0; p < P; p++) rolled.set(known!.subarray(p * P, (p + 1) * P), p * S);
    const below = layers.at(-1);
    for (let t = P; t < S; t++)
      for (let s = 0; s < S; s++) {
        const weight = mixing[t * S + s]!;
        if (weight === 0) continue;
        if (!below) rolled[t * S + s]! += weight;
        else for (let r = 0; r < S; r++) rolled[t * S + r]! += weight * below[s * S + r]!;
      }
    layers.push(rolled);
  }
  const weights = layers.at(-1)!.slice(P * S);
  return { weights, map: denseMap({ H: 1, T, S, weights, ...sharedMask(maps) }), layers };
}
