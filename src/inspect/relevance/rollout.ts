import { denseMap } from "../map/dense.ts";
import type { AttentionMap } from "../map/map.ts";
import {
  checkLayers,
  type FusionOptions,
  fuseHeads,
  type StackSizes,
  scaleToOne,
  sharedMask,
} from "./fuse.ts";

export interface RolloutOptions extends FusionOptions {
  /**
   * Divides by what even attention over the same visible keys would give, and scales rows to sum to 1 again: with a
   * causal mask the first tokens are seen by all and gather mass whatever the weights are. @default false
   */
  readonly causal?: boolean;
}

export interface Rollout {
  /** [T, S], row-major: row t says how much of output t comes from each input. */
  readonly weights: Float64Array;
  /** The same as a map of one head, for the views. */
  readonly map: AttentionMap;
}

/**
 * Attention rollout: how much of each output comes from each input, through all layers and residual connections.
 *
 *     R = Â_L · … · Â_1,    Â_l = rows of (A_l + I) scaled to sum to 1,    A_l = mean of the heads of layer l
 *
 * Shapes: maps of one stack, first layer first, [H, T, S] each → [T, S]; the same sizes everywhere, S = T or P + T.
 * Conventions: every row sums to 1. A query that sees nothing keeps what it was; without `identity` its row is 0. Where
 * the first P keys are a prefix (`maskSpec.offset` = P), such as a learnt one or cached keys, each counts as one input,
 * whatever it was made of: the trace has no queries for it.
 * It assumes that attention mixes positions and that all else in a layer keeps them apart and alike.
 * Cost: O(L·S³) time, O(S²) memory. Paper: Abnar & Zuidema 2020, § 3, arxiv.org/abs/2005.00928.
 *
 * @throws OptionError SHAPE, NOT_DISTRIBUTION, OPTION
 * @example
 * const layer = denseMap({ H: 1, T: 2, S: 2, weights: [1, 0, 0.5, 0.5], maskSpec: { right: 0 } });
 * rollout([layer, layer]).weights; // Float64Array [1, 0, 0.4375, 0.5625]
 */
export function rollout(maps: readonly AttentionMap[], options: RolloutOptions = {}): Rollout {
  const sizes = checkLayers("rollout", maps, options);
  const { T, S } = sizes;
  const weights = product(maps, sizes, options, (weight) => weight);
  if (options.causal) {
    const even = product(maps, sizes, options, (_, visible) => 1 / visible);
    for (let e = 0; e < weights.length; e++) weights[e] = even[e]! > 0 ? weights[e]! / even[e]! : 0;
    for (let t = 0; t < T; t++) scaleToOne(weights.subarray(t * S, (t + 1) * S));
  }
  const map = denseMap({ H: 1, T, S, weights, ...sharedMask(maps) });
  return { weights, map };
}

/** Rows of the queries of Â_L · … · Â_1, [T, S]. */
function product(
  maps: readonly AttentionMap[],
  { S, P }: StackSizes,
  options: FusionOptions,
  weightOf: (weight: number, visible: number) => number,
): Float64Array {
  let rolled: Float64Array<ArrayBuffer> | undefined;
  for (const map of maps) {
    const layer = fuseHeads(map, options, weightOf);
    rolled = rolled ? multiply(layer, rolled, S) : layer;
  }
  return rolled!.slice(P * S);
}

/** a [T, M] · b [M, S]; whole rows at a time, so that zeros cost nothing. */
export function multiply(
  a: Float64Array,
  b: Float64Array,
  T: number,
  M = T,
  S = T,
): Float64Array<ArrayBuffer> {
  const out = new Float64Array(T * S);
  for (let t = 0; t < T; t++)
    for (let m = 0; m < M; m++) {
      const w = a[t * M + m]!;
      if (w === 0) continue;
      for (let s = 0; s < S; s++) out[t * S + s]! += w * b[m * S + s]!;
    }
  return out;
}
