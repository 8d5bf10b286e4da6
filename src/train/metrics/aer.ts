/**
 * How well word alignments match those of people (Och & Ney 2003, aclanthology.org/J03-1002, § 5.1).
 *
 *     precision = |A ∩ P| / |A|      recall = |A ∩ S| / |S|      AER = 1 − (|A ∩ S| + |A ∩ P|) / (|A| + |S|)
 *
 * `A` are the links found, `S` the sure and `P` the possible ones, with S ⊆ P: a sure link counts as possible
 * whether or not it is listed there. Sizes are summed over all sentences. A link is `[source, target]`, from 0.
 */
import { DataError, ShapeError } from "../../core/errors.ts";

export type Link = readonly [source: number, target: number];
export interface GoldAlignment {
  sure: readonly Link[];
  /** Further links that are no mistake; those of `sure` need not be repeated. @default [] */
  possible?: readonly Link[];
}
export interface AlignmentScore {
  /** 0 (best) … 1; NaN where neither side has a link. */
  errorRate: number;
  /** 0 … 1; NaN where no link was found. */
  precision: number;
  /** 0 … 1; NaN where no link is sure. */
  recall: number;
}

/**
 * @param alignments per sentence the links found; a repeated link counts once
 * @param gold per sentence the links of people
 * @throws DataError SHAPE when there are not as many of one as of the other
 *
 * @example
 * alignmentErrorRate([[[0, 0], [1, 2]]], [{ sure: [[0, 0]], possible: [[1, 1]] }]).errorRate; // 1 - (1 + 1) / (2 + 1)
 */
export function alignmentErrorRate(
  alignments: readonly (readonly Link[])[],
  gold: readonly GoldAlignment[],
): AlignmentScore {
  requireEqual("alignmentErrorRate", alignments.length, gold.length);
  let found = 0;
  let sureCount = 0;
  let foundSure = 0;
  let foundPossible = 0;
  alignments.forEach((links, i) => {
    const { sure, possible } = linkSets(gold[i]!);
    const a = new Set(links.map(keyOf));
    found += a.size;
    sureCount += sure.size;
    for (const link of a) {
      if (sure.has(link)) foundSure++;
      if (possible.has(link)) foundPossible++;
    }
  });
  return {
    errorRate: 1 - (foundSure + foundPossible) / (found + sureCount),
    precision: foundPossible / found,
    recall: foundSure / sureCount,
  };
}

/**
 * The share, 0 … 1, of linked target words (those with a sure or possible link) that have a link found which is one
 * of theirs. NaN where gold links none.
 *
 * @example
 * alignmentAccuracy([[[0, 0], [2, 1]]], [{ sure: [[0, 0], [1, 1]] }]); // 0.5
 */
export function alignmentAccuracy(
  alignments: readonly (readonly Link[])[],
  gold: readonly GoldAlignment[],
): number {
  requireEqual("alignmentAccuracy", alignments.length, gold.length);
  let linked = 0;
  let right = 0;
  alignments.forEach((links, i) => {
    const { sure, possible = [] } = gold[i]!;
    const accepted = linkSets(gold[i]!).possible;
    linked += new Set([...sure, ...possible].map(([, target]) => target)).size;
    right += new Set(links.filter((link) => accepted.has(keyOf(link))).map(([, target]) => target)).size;
  });
  return right / linked;
}

/**
 * Links each target word to the source word with the largest weight, the first of equals. A row without a positive
 * weight (nothing to attend to) gets no link.
 *
 * @param weights attention weights [T, S], row by row
 * @param shape `[T, S]`, target and source lengths
 * @throws ShapeError `SHAPE` when there are not T·S weights
 *
 * @example
 * argmaxAlignment([0.9, 0.1, 0.3, 0.7, 0, 0], [3, 2]); // [[0, 0], [1, 1]]
 */
export function argmaxAlignment(weights: ArrayLike<number>, [T, S]: readonly [T: number, S: number]): Link[] {
  if (weights.length !== T * S)
    throw new ShapeError("SHAPE", {
      op: "argmaxAlignment",
      rule: `T=${T} by S=${S} weights are ${T * S} numbers`,
      got: `${weights.length}`,
      remedy: "pass one [T, S] matrix",
    });
  const links: Link[] = [];
  for (let t = 0; t < T; t++) {
    let best = -1;
    for (let s = 0; s < S; s++) {
      if (weights[t * S + s]! > (best < 0 ? 0 : weights[t * S + best]!)) best = s;
    }
    if (best >= 0) links.push([best, t]);
  }
  return links;
}

const keyOf = ([source, target]: Link): string => `${source}-${target}`;

function linkSets({ sure, possible = [] }: GoldAlignment) {
  return { sure: new Set(sure.map(keyOf)), possible: new Set([...sure, ...possible].map(keyOf)) };
}

function requireEqual(op: string, alignments: number, gold: number): void {
  if (alignments === gold) return;
  const rule = `each of the ${alignments} alignments needs a gold alignment`;
  throw new DataError("SHAPE", { op, rule, got: gold, remedy: "pass one for each sentence" });
}
