/** What the token strip shows: tokens or whole words, and how much of a query's weight they hold. */
import type { Cells } from "../../src/inspect/cells.ts";
import { VALUE } from "../../src/inspect/cells.ts";
import { findWords, isSpecialToken, type Words } from "../../src/inspect/word-map.ts";
import { chooseEdges } from "../../src/viz/flow/edges.ts";

/** A token, or the tokens of a word: from `first` up to `end`. */
export interface TokenUnit {
  readonly text: string;
  readonly first: number;
  readonly end: number;
  /** Whether it is a mark such as [CLS], which is no text. */
  readonly isSpecial: boolean;
}

/** Every token as a word of its own. */
const separate = (tokens: readonly string[]): Words => ({
  words: tokens,
  starts: Int32Array.from({ length: tokens.length + 1 }, (_, n) => n),
});

/** Tokens as they are, or put together to words. */
export const wordsOf = (tokens: readonly string[], isWhole: boolean): Words =>
  isWhole ? findWords(tokens) : separate(tokens);

/**
 * The units of words.
 *
 * @example
 * unitsOf(wordsOf(["[CLS]", "un", "##happy"], true)).map(({ text, first, end }) => [text, first, end]);
 * // [["[CLS]", 0, 1], ["unhappy", 1, 3]]
 */
export const unitsOf = ({ words, starts }: Words): TokenUnit[] =>
  words.map((text, n) => ({
    ...{ text, first: starts[n]!, end: starts[n + 1]! },
    isSpecial: isSpecialToken(text),
  }));

/** Where weight lies along the units of a row. */
export interface MassFacts {
  /** The strongest units that together hold the wanted share of the row's weight. */
  readonly held: ReadonlySet<number>;
  /** The share that they hold, 0 … 1. */
  readonly share: number;
  /** Units that have weight at all. */
  readonly weighed: number;
  /** The share of units that are hidden, 0 … 1. */
  readonly hidden: number;
}

/**
 * Which units of a row hold `mass` of its weight, 0 … 1, and how much those hold that are not shown.
 *
 * @example
 * const cells = { rows: 1, columns: 3, values: Float32Array.of(0.5, 0.25, 0.25), kinds: new Uint8Array(3) };
 * const { held, share, hidden } = massOf(cells, 0.6, (n) => n > 0);
 * [...held, share, hidden]; // [0, 1, 0.75, 0.5]
 */
export function massOf(cells: Cells, mass: number, isShown: (unit: number) => boolean): MassFacts {
  const { edges, all, mass: share } = chooseEdges(cells, { mass }, cells.columns);
  let [total, hidden] = [0, 0];
  for (const [n, value] of cells.values.entries()) {
    if (cells.kinds[n] !== VALUE || value <= 0) continue;
    total += value;
    if (!isShown(n)) hidden += value;
  }
  return {
    held: new Set(edges.map(({ s }) => s).reverse()),
    ...{ share, weighed: all, hidden: total > 0 ? hidden / total : 0 },
  };
}
