import { bandRange } from "../core/program-rows.ts";

/**
 * Which keys a query may attend to, without a byte for each pair: the words of the attention program.
 *
 *     visible(t, s) = t < queryLength ∧ s < keyLength ∧ −left ≤ s − (t + offset) ≤ right
 *
 * What is left out hides nothing. Causal is `{ right: 0 }`; with a cache of earlier keys, offset is the position of
 * query 0. With T = S = 4, left = 1 and right = 0:
 *
 *     1 0 0 0
 *     1 1 0 0
 *     0 1 1 0
 *     0 0 1 1
 */
export interface MaskSpec {
  /** The key position of query 0; any integer. @default 0 */
  readonly offset?: number;
  /** Keys seen before the query's own position; an integer ≥ 0. @default all */
  readonly left?: number;
  /** Keys seen after the query's own position; an integer ≥ 0. @default all */
  readonly right?: number;
  /** Valid queries; later ones are padding and see nothing. @default T */
  readonly queryLength?: number;
  /** Valid keys; later ones are padding and are never seen. @default S */
  readonly keyLength?: number;
}

/**
 * The keys [start, end) of S that query t may attend to; start = end where there is none.
 *
 * @example
 * visibleKeys({ left: 1, right: 0 }, 2, 4); // [1, 3]
 */
export function visibleKeys(mask: MaskSpec | undefined, t: number, S: number): [start: number, end: number] {
  if (!mask) return [0, S];
  const { offset = 0, left = Infinity, right = Infinity, queryLength = Infinity, keyLength = S } = mask;
  const [start, end] = bandRange(t, offset, left, right, queryLength, Math.min(S, keyLength));
  return end > start ? [start, end] : [0, 0];
}

/** The key position at which query t stands: t + offset where that is known, else its share of S, ⌊·⌋ not taken. */
export function positionOf(mask: MaskSpec | undefined, t: number, T: number, S: number): number {
  return mask?.offset === undefined && T !== S ? (t * S) / T : t + (mask?.offset ?? 0);
}
