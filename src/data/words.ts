import { SPACE_MARK } from "./bpe.ts";
import { preTokenize } from "./pretokenize.ts";

/**
 * Groups pieces into the words and punctuation marks that a reader sees, as half-open ranges `[start, end)` of piece
 * numbers, in order and without gaps; attention columns can be summed over a range. Works on what a model wrote as
 * well as on what was encoded: the pieces are joined and the text is cut again.
 *
 * @example
 * words(["▁I", "▁tra", "vel", "."]); // [[0, 1], [1, 3], [3, 4]]
 */
export function words(pieces: readonly string[]): [start: number, end: number][] {
  const surfaces = pieces.map((piece) => piece.replaceAll(SPACE_MARK, " "));
  const starts = new Set<number>();
  let offset = 0;
  for (const unit of preTokenize(surfaces.join(""))) {
    starts.add(offset);
    offset += unit.length;
  }
  const ranges: [number, number][] = [];
  offset = 0;
  for (const [i, surface] of surfaces.entries()) {
    const last = ranges.at(-1);
    if (last === undefined || starts.has(offset)) ranges.push([i, i + 1]);
    else last[1] = i + 1;
    offset += surface.length;
  }
  return ranges;
}
