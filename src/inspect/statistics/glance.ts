import { OptionError } from "../../core/errors.ts";
import { MASKED, NOT_FINITE } from "../cells.ts";
import type { AttentionMap } from "../map/map.ts";
import { positionOf } from "../mask.ts";
import { normalizedEntropy } from "./row.ts";

/** What a head does at a glance: means over queries, NaN where no query has a say. */
export interface HeadGlance {
  /** As a share of the largest possible: 1 is even, 0 is one key. Over queries with two keys or more. */
  readonly entropy: number;
  /** The largest weight. */
  readonly confidence: number;
  /** The shares of the query's own position, the one before it, and key 0. */
  readonly selfMass: number;
  readonly previousToken: number;
  readonly firstToken: number;
}

/** One query's weights. */
export interface WeighedRow {
  readonly t: number;
  /** [S]; 0 where hidden. */
  readonly values: Float32Array;
  readonly kinds: Uint8Array;
  /** Those that may be attended to, in order, and their sum. Overwritten by the next row. */
  readonly visible: Float32Array;
  readonly sum: number;
  /** The query's position among the keys. */
  readonly p: number;
}

/**
 * The queries of a head that see a key, but for those with a weight that is not finite.
 *
 * @throws OptionError NOT_DISTRIBUTION
 */
export function* weighedRows(op: string, map: AttentionMap, head: number): Generator<WeighedRow> {
  const { T, S, maskSpec } = map;
  const buffer = new Float32Array(S);
  for (let t = 0; t < T; t++) {
    const { values, kinds } = map.row(head, t);
    if (kinds.includes(NOT_FINITE)) continue;
    let n = 0;
    let sum = 0;
    for (let s = 0; s < S; s++) {
      if (kinds[s] === MASKED) continue;
      const w = values[s]!;
      if (w < 0) throw negative(op, w, head, t);
      buffer[n++] = w;
      sum += w;
    }
    if (n === 0) continue;
    yield { t, values, kinds, visible: buffer.subarray(0, n), sum, p: positionOf(maskSpec, t, T, S) };
  }
}

function negative(op: string, w: number, head: number, query: number): OptionError<"NOT_DISTRIBUTION"> {
  const got = `${w} in head ${head}, query ${query}`;
  const remedy = "measure the weights after the softmax, or the magnitudes";
  return new OptionError("NOT_DISTRIBUTION", {
    op,
    rule: "weights must not be negative",
    got,
    remedy,
    head,
    query,
  });
}

/** Means by name; NaN is no observation. */
export class Means {
  readonly #sums = new Map<string, { sum: number; count: number }>();

  add(name: string, value: number): void {
    if (Number.isNaN(value)) return;
    const { sum, count } = this.#sums.get(name) ?? { sum: 0, count: 0 };
    this.#sums.set(name, { sum: sum + value, count: count + 1 });
  }

  count(name: string): number {
    return this.#sums.get(name)?.count ?? 0;
  }

  of(name: string): number {
    const { sum, count } = this.#sums.get(name) ?? { sum: 0, count: 0 };
    return sum / count;
  }
}

/** Takes a row that weighs something into the means of a glance; returns its entropy. */
export function addGlance(means: Means, { values, visible, sum, p }: WeighedRow): number {
  const S = values.length;
  const own = Math.round(p);
  const entropy = normalizedEntropy(visible);
  means.add("entropy", entropy);
  means.add("confidence", visible.reduce((most, w) => Math.max(most, w), 0) / sum);
  means.add("firstToken", values[0]! / sum);
  if (own >= 0 && own < S) means.add("selfMass", values[own]! / sum);
  if (own >= 1 && own <= S) means.add("previousToken", values[own - 1]! / sum);
  return entropy;
}

export function glanceOf(means: Means): HeadGlance {
  return {
    entropy: means.of("entropy"),
    confidence: means.of("confidence"),
    selfMass: means.of("selfMass"),
    previousToken: means.of("previousToken"),
    firstToken: means.of("firstToken"),
  };
}

/**
 * The few of `headStatistics` that tell heads apart at a glance. Cost: O(T·S), one row in memory.
 *
 * @throws OptionError NOT_DISTRIBUTION
 */
export function headGlance(map: AttentionMap, head: number): HeadGlance {
  const means = new Means();
  for (const row of weighedRows("headGlance", map, head)) if (row.sum > 0) addGlance(means, row);
  return glanceOf(means);
}
