/** Which words of a finished translation are which of those that a model wrote: finishing adds marks and changes a few words. */
import { SPACE_MARK } from "../../../data/bpe.ts";
import { preTokenize } from "../../../data/pretokenize.ts";

/** A range of a text that is one token whatever it holds. */
export type Range = readonly [start: number, end: number];

/** The tokens of a text, each of the given ranges one of them; the last entry says which range, if any. */
export function tokensOf(text: string, ranges: readonly Range[]): { token: string; range?: number }[] {
  const tokens: { token: string; range?: number }[] = [];
  const add = (part: string) => {
    for (const unit of preTokenize(part)) if (unit.trim() !== "") tokens.push({ token: unit.trim() });
  };
  let from = 0;
  for (const [index, [start, end]] of ranges.entries()) {
    if (start < from || end <= start) continue;
    add(text.slice(from, start));
    tokens.push({ token: text.slice(start, end), range: index });
    from = end;
  }
  add(text.slice(from));
  return tokens;
}

/** Pieces as a reader sees them. */
export function textOf(pieces: readonly string[]): string {
  return pieces.join("").replaceAll(SPACE_MARK, " ").trim();
}

/**
 * For each finished word the word of the model that it comes from: equal words in order, as many as can be (a longest common
 * subsequence); a word between them from what the model has there, else from the word beside.
 *
 * @param written at least one word, where there are finished ones
 * @example
 * comeFrom(["¿", "Dónde", "está", "?"], ["Dónde", "esta", "?"]); // [0, 0, 1, 2]
 */
export function comeFrom(finished: readonly string[], written: readonly string[]): number[] {
  const from = commonWords(finished, written);
  for (let start = 0; start < from.length; start++) {
    if (from[start] !== -1) continue;
    let end = start;
    while (end < from.length && from[end] === -1) end++;
    const before = start === 0 ? -1 : from[start - 1]!;
    const after = end === from.length ? written.length : from[end]!;
    const between = after - before - 1;
    const beside = before >= 0 ? before : after;
    for (let i = start; i < end; i++)
      from[i] = between > 0 ? before + 1 + Math.floor(((i - start) * between) / (end - start)) : beside;
  }
  return from;
}

/** The place in `written` of each finished word that is in the longest common subsequence, −1 of the others. */
function commonWords(finished: readonly string[], written: readonly string[]): number[] {
  const [n, m] = [finished.length, written.length];
  const rest = Array.from({ length: n + 1 }, () => new Int32Array(m + 1));
  for (let i = n - 1; i >= 0; i--)
    for (let j = m - 1; j >= 0; j--) {
      const without = Math.max(rest[i + 1]![j]!, rest[i]![j + 1]!);
      rest[i]![j] = finished[i] === written[j] ? rest[i + 1]![j + 1]! + 1 : without;
    }
  const places = new Array<number>(n).fill(-1);
  for (let i = 0, j = 0; i < n && j < m; ) {
    if (finished[i] === written[j]) places[i++] = j++;
    else if (rest[i + 1]![j]! >= rest[i]![j + 1]!) i++;
    else j++;
  }
  return places;
}
