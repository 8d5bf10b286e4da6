import { checkCount } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { MASKED } from "../cells.ts";
import { type AttentionMap, finished } from "../map/map.ts";
import type { ImageGrid } from "../trace/trace.ts";
import { addGlance, glanceOf, type HeadGlance, Means, weighedRows } from "./glance.ts";
import { gini, topMass } from "./row.ts";
import { earlierTokens } from "./tokens.ts";

export interface StatisticsOptions {
  /** How many keys `topMass` counts. @default 4 */
  readonly topK?: number;
  /** How far from its query a key may stand to count for `bandMass`. @default 1 */
  readonly band?: number;
  /** The tokens of queries and keys, in self-attention; for `duplicate` and `induction`. */
  readonly tokens?: readonly (string | number)[];
  /** Where queries and keys are the patches of an image; for `patchDistance`. */
  readonly grid?: ImageGrid;
}

/** What one head does, as numbers: means over queries, NaN where no query has a say. */
export interface HeadStatistics extends HeadGlance {
  /** Queries that see a key and weigh one. */
  readonly queries: number;
  /** Gini's coefficient: 0 is even, 1 is one key. Over queries with two keys or more. */
  readonly sparsity: number;
  /** The share of the `topK` largest weights. */
  readonly topMass: number;
  /** Σ a |s − p| and Σ a (s − p), in positions. */
  readonly distance: number;
  readonly lag: number;
  /** The correlation of query and key positions under the weights: 1 is a diagonal, −1 one that runs backwards. */
  readonly diagonality: number;
  /** The share of keys with |s − p| ≤ `band`. */
  readonly bandMass: number;
  /** What the weights lack to 1: the part of a sink. */
  readonly sinkMass: number;
  /** Standard deviation of `columnMass` over its mean, among the keys that a query sees: 0 where all get the same. */
  readonly coverageSpread: number;
  /** The share of earlier positions with the query's token, and of those that follow them. NaN without `tokens`. */
  readonly duplicate: number;
  readonly induction: number;
  /** In pixels, from patch to patch. NaN without `grid`. */
  readonly patchDistance: number;
  /** For each key, what all queries give it [S]. */
  readonly columnMass: Float64Array;
  /** For each query, its entropy [T]; NaN where it sees fewer than two keys. */
  readonly rowEntropy: Float64Array;
}

/**
 * Head statistics: what is usual for a head, in one pass over its rows.
 *
 *     mean over queries t of f(a_t),    a_t = w_t / Σ_s w_ts over the keys that t may attend to
 *
 * Symbols: p the position of query t among the keys: t + offset of the layer's mask, else t·S/T.
 * Shapes: head h of a map [H, T, S]. Conventions: hidden keys are no keys, so they count neither as small weights nor
 * towards n; queries that see nothing, and rows with a number that is not finite, are left out. Rows are scaled to sum
 * to 1 first, but for `sinkMass` and `columnMass`. Sums run in float64. Pure.
 * Cost: O(T·S·log S), one row in memory.
 * Papers: previous-token, duplicate and induction heads: Olsson et al. 2022, arxiv.org/abs/2209.11895; distance: Vig &
 * Belinkov 2019, arxiv.org/abs/1906.04284; the ViT figure: Dosovitskiy et al. 2021, arxiv.org/abs/2010.11929.
 *
 * @throws OptionError NOT_DISTRIBUTION, OPTION
 * @example
 * const map = denseMap({ H: 1, T: 3, S: 3, weights: [1, 0, 0, 1, 0, 0, 0, 1, 0], maskSpec: { right: 0 } });
 * headStatistics(map, 0).lag.toFixed(2); // "-0.67"
 */
export function headStatistics(
  map: AttentionMap,
  head: number,
  options: StatisticsOptions = {},
): HeadStatistics {
  return finished(headStatisticsSteps(map, head, options));
}

/** `headStatistics` a row at a time, for a page that answers its reader meanwhile. */
export function* headStatisticsSteps(
  map: AttentionMap,
  head: number,
  { topK = 4, band = 1, tokens, grid }: StatisticsOptions = {},
): Generator<undefined, HeadStatistics, undefined> {
  const op = "headStatistics";
  const { T, S } = map;
  checkCount(op, "topK", topK);
  if (!(band >= 0))
    throw new OptionError("OPTION", outOfRange({ op, name: "band", rule: "at least 0", got: band }));
  if (tokens && !(tokens.length === T && T === S)) {
    const rule = `one for each position of self-attention (T=${T}, S=${S})`;
    throw new OptionError(
      "OPTION",
      outOfRange({ op, name: "the number of tokens", rule, got: tokens.length }),
    );
  }
  const earlier = tokens && earlierTokens(tokens);
  const means = new Means();
  const columnMass = new Float64Array(S);
  const seen = new Uint8Array(S);
  const rowEntropy = new Float64Array(T).fill(Number.NaN);
  const moments = new Moments();
  for (const row of weighedRows(op, map, head)) {
    yield;
    const { t, values, kinds, visible, sum, p } = row;
    for (let s = 0; s < S; s++) {
      if (kinds[s] === MASKED) continue;
      columnMass[s]! += values[s]!;
      seen[s] = 1;
    }
    means.add("sinkMass", Math.max(0, 1 - sum));
    if (sum === 0) continue;

    rowEntropy[t] = addGlance(means, row);
    const ascending = visible.sort();
    means.add("sparsity", gini(ascending));
    means.add("topMass", topMass(ascending, topK));
    let distance = 0;
    let inBand = 0;
    let first = 0;
    let second = 0;
    for (let s = 0; s < S; s++) {
      const w = values[s]!;
      if (w === 0) continue;
      const d = s - p;
      const far = Math.abs(d);
      distance += w * far;
      if (far <= band) inBand += w;
      first += w * d;
      second += w * d * d;
    }
    distance /= sum;
    inBand /= sum;
    const lag = first / sum;
    moments.add(t, p + lag, second / sum - lag * lag);
    means.add("distance", distance);
    means.add("lag", lag);
    means.add("bandMass", inBand);
    if (earlier) {
      const { same, after } = earlier[t]!;
      const total = (keys: readonly number[]) => keys.reduce((mass, s) => mass + values[s]! / sum, 0);
      if (same.length > 0) means.add("duplicate", total(same));
      if (after.length > 0) means.add("induction", total(after));
    }
    if (grid) means.add("patchDistance", patchDistance(values, t, grid));
  }
  return {
    ...glanceOf(means),
    queries: means.count("confidence"),
    sparsity: means.of("sparsity"),
    topMass: means.of("topMass"),
    distance: means.of("distance"),
    lag: means.of("lag"),
    diagonality: moments.correlation(),
    bandMass: means.of("bandMass"),
    sinkMass: means.of("sinkMass"),
    coverageSpread: spread(columnMass.filter((_, s) => seen[s])),
    duplicate: means.of("duplicate"),
    induction: means.of("induction"),
    patchDistance: means.of("patchDistance"),
    columnMass,
    rowEntropy,
  };
}

/** Moments of query and key positions, every query of mass 1, updated so that far-away positions lose no digits. */
class Moments {
  #rows = 0;
  #t = 0;
  #s = 0;
  #tt = 0;
  #ss = 0;
  #ts = 0;

  /** Takes a query, and the mean and variance of the keys that it attends to. */
  add(t: number, s: number, variance: number): void {
    this.#rows++;
    const dt = t - this.#t;
    const ds = s - this.#s;
    this.#t += dt / this.#rows;
    this.#s += ds / this.#rows;
    this.#tt += dt * (t - this.#t);
    this.#ss += ds * (s - this.#s) + Math.max(0, variance);
    this.#ts += dt * (s - this.#s);
  }

  /** NaN where one of the two never changes. */
  correlation(): number {
    return this.#ts / Math.sqrt(this.#tt * this.#ss);
  }
}

function spread(masses: Float64Array): number {
  const mean = masses.reduce((sum, x) => sum + x, 0) / masses.length;
  const variance = masses.reduce((sum, x) => sum + (x - mean) ** 2, 0) / masses.length;
  return Math.sqrt(variance) / mean;
}

/** The mean distance in pixels from a patch to the patches that it attends to; NaN from or to other tokens alone. */
function patchDistance(values: Float32Array, t: number, { width, patch, cls }: ImageGrid): number {
  if (t < cls) return Number.NaN;
  const [y, x] = [Math.floor((t - cls) / width), (t - cls) % width];
  let [sum, mass] = [0, 0];
  for (let s = cls; s < values.length; s++) {
    const w = values[s]!;
    sum += w * Math.hypot(Math.floor((s - cls) / width) - y, ((s - cls) % width) - x);
    mass += w;
  }
  return (patch * sum) / mass;
}
