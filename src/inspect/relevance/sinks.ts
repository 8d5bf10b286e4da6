import { checkPositive } from "../../core/check-options.ts";
import { VALUE } from "../cells.ts";
import { wrongElements } from "../check.ts";
import type { AttentionMap } from "../map/map.ts";

/** How much a head leaves to a key that it does not need. */
export interface SinkHead {
  readonly layer: number;
  readonly head: number;
  /** Mean weight of the first key, over queries that see others too: NaN where there are none. */
  readonly firstMass: number;
  /** The key with the most weight in the mean of those queries, and that weight. */
  readonly sink: number;
  readonly sinkMass: number;
  /** The length of that key's value as a share of the median of all keys': a sink brings little. NaN without norms. */
  readonly sinkNorm: number;
}

/**
 * Which heads rest on a sink: a key, mostly the first, that gets weight and whose value is next to nothing.
 *
 *     sinkMass = max_s mean_t α_ts,    sinkNorm = ‖v_s‖ / median_r ‖v_r‖ at that s
 *
 * Shapes: maps [H, T, S] of the layers; norms [Hkv, S] of each, as `capture` keeps them with `valueNorms` (`vnorm`).
 * Conventions: queries that see one key alone say nothing and do not count. Cost: that of the maps' rows.
 * Papers: Xiao et al. 2023, § 3.1, arxiv.org/abs/2309.17453; values of sinks: Gu et al. 2024, arxiv.org/abs/2410.10781.
 *
 * @throws ShapeError SHAPE
 * @example
 * const map = denseMap({ H: 1, T: 2, S: 2, weights: [1, 0, 0.75, 0.25], maskSpec: { right: 0 } });
 * sinkReport([map], [[1, 3]]); // [{ layer: 0, head: 0, firstMass: 0.75, sink: 0, sinkMass: 0.75, sinkNorm: 0.5 }]
 */
export function sinkReport(maps: readonly AttentionMap[], norms?: readonly ArrayLike<number>[]): SinkHead[] {
  return maps.flatMap((map, layer) => {
    const { H, S } = map;
    const own = norms?.[layer];
    const Hkv = norms ? (own?.length ?? 0) / S : 1;
    if (norms && (!Number.isSafeInteger(Hkv) || Hkv === 0 || H % Hkv !== 0))
      throw wrongElements("sinkReport", `norms[${layer}]`, "[Hkv, S]", H * S, own?.length ?? 0);
    return Array.from({ length: H }, (_, head): SinkHead => {
      const mass = meanRow(map, head);
      const sink = mass.reduce((best, weight, s) => (weight > mass[best]! ? s : best), 0);
      const group = Math.floor((head * Hkv) / H);
      const lengths = own && Array.from({ length: S }, (_, s) => own[group * S + s]!);
      return {
        ...{ layer, head, firstMass: mass[0] ?? Number.NaN, sink, sinkMass: mass[sink] ?? Number.NaN },
        sinkNorm: lengths ? lengths[sink]! / medianOf(lengths) : Number.NaN,
      };
    });
  });
}

/** The mean row of the queries that see more than one key. */
function meanRow(map: AttentionMap, head: number): Float64Array {
  const mean = new Float64Array(map.S);
  let queries = 0;
  for (let t = 0; t < map.T; t++) {
    const { values, kinds } = map.row(head, t);
    if (kinds.filter((kind) => kind === VALUE).length < 2) continue;
    queries++;
    for (let s = 0; s < map.S; s++) mean[s]! += values[s]!;
  }
  return mean.map((sum) => sum / queries);
}

export interface MassiveActivation {
  readonly position: number;
  readonly channel: number;
  readonly value: number;
  /** Its size as a multiple of the median size of all numbers. */
  readonly times: number;
}

export interface MassiveOptions {
  /** @default 100 */
  readonly atLeast?: number;
  /** Of the median size. @default 1000 */
  readonly times?: number;
}

/**
 * Massive activations: the few numbers among hidden states that are larger than all others by far, and stand where sinks are.
 *
 *     |x| ≥ atLeast  and  |x| ≥ times · median |x|
 *
 * Shapes: states [T, C] flat, of one layer → a list, the largest first. Cost: O(T·C·log(T·C)).
 * Paper: Sun et al. 2024, § 2, arxiv.org/abs/2402.17762, with its bounds.
 *
 * @throws ShapeError SHAPE · OptionError OPTION
 * @example
 * massiveActivations([0.1, -200, 0.1, 0.1, 0.1, 0.1], 3); // [{ position: 0, channel: 1, value: -200, times: 2000 }]
 */
export function massiveActivations(
  states: ArrayLike<number>,
  C: number,
  { atLeast = 100, times = 1000 }: MassiveOptions = {},
): MassiveActivation[] {
  const op = "massiveActivations";
  checkPositive(op, "atLeast", atLeast);
  checkPositive(op, "times", times);
  if (!(C > 0) || states.length % C !== 0) throw wrongElements(op, "states", "[T, C]", C, states.length);
  const median = medianOf(Array.from(states, Math.abs));
  return Array.from(states, (value, e) => ({
    ...{ position: Math.floor(e / C), channel: e % C, value },
    times: Math.abs(value) / median,
  }))
    .filter((one) => Math.abs(one.value) >= atLeast && one.times >= times)
    .sort((a, b) => b.times - a.times);
}

/** The middle one, or the mean of the two in the middle. */
function medianOf(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
