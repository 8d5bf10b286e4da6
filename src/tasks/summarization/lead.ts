import { corpusRouge, type RougeScore } from "../../train/metrics/rouge.ts";
import type { Referenced } from "../references.ts";

/**
 * The first words of a text, parted by spaces: the baseline of every summary.
 *
 * @example
 * leadWords("One fish, two fish.", 2); // "One fish,"
 */
export const leadWords = (text: string, count: number): string => text.split(" ").slice(0, count).join(" ");

/** ROUGE of the first words of every text; `Infinity` repeats the whole text. */
export const scoreLead = (split: readonly Referenced[], count: number): RougeScore =>
  corpusRouge(
    split.map(({ source }) => leadWords(source, count)),
    split.map(({ references }) => references),
  );

/** How many first words score best, from 1 to `most`: the ROUGE-L F of a validation split decides, of equals the fewest. */
export function bestLead(validation: readonly Referenced[], most: number): number {
  let [best, count] = [-1, 1];
  for (let words = 1; words <= most; words++) {
    const { f } = scoreLead(validation, words).rougeL;
    if (f > best) [best, count] = [f, words];
  }
  return count;
}
