/**
 * The words of a corpus with how often each occurs, as they are written in the middle of a sentence: the capital of a first
 * word says nothing, so it counts for the form that the rest of the corpus has.
 */
import { isListed } from "./listed.ts";

/** Words to counts. A model folder keeps the vocabulary of its training sentences. */
export type Vocabulary = ReadonlyMap<string, number>;

/**
 * A word with the apostrophes and hyphens inside it ("don't", "O'Brien", "twenty-one", "AT&T"). The 's of a possessive and
 * other clitics are none of it.
 */
export const WORD =
  /[\p{L}\p{M}]+(?:(?:['’](?!(?:s|re|ve|m|ll|d)(?![\p{L}\p{M}]))|-|&(?=\p{Lu}))[\p{L}\p{M}]+)*/gu;

const TITLE = /(?:^|[^\p{L}])(?:Mr|Mrs|Ms|Mx|Dr|Prof|St|Capt|Lt|Sgt|Gen|Sen|Rev)\. $/u;
/** As far as what stands before a word is looked at. */
export const LONGEST_BEFORE = 8;

/** Whether a text ends in "Mr. " or another title, whose full stop ends no sentence: what follows is a name. */
export const endsInTitle = (before: string): boolean => TITLE.test(before);

/** The count of a word; 0 without a vocabulary. */
export function countOf(vocabulary: Vocabulary | undefined, word: string): number {
  return vocabulary?.get(word) ?? 0;
}

/**
 * Counts words.
 *
 * @param least rarer words are left out
 * @example
 * countWords(["The cat saw Tom.", "Tom saw the cat."], 2).get("the"); // 2
 */
export function countWords(sentences: Iterable<string>, least = 1): Map<string, number> {
  const counts = new Map<string, number>();
  const firsts = new Map<string, number>();
  const add = (map: Map<string, number>, word: string, n = 1) => map.set(word, (map.get(word) ?? 0) + n);
  for (const sentence of sentences) {
    for (const match of sentence.matchAll(WORD)) {
      const before = sentence.slice(Math.max(0, match.index - LONGEST_BEFORE), match.index);
      const initial = match.index === 0 || (/[.!?:"(] ?["'(]?$/.test(before) && !endsInTitle(before));
      add(initial ? firsts : counts, match[0]);
    }
  }
  for (const [word, n] of firsts) {
    const lower = word.toLowerCase();
    const [great, small] = [counts.get(word) ?? 0, counts.get(lower) ?? 0];
    add(counts, great > small || (great === small && isListed(word)) ? word : lower, n);
  }
  return new Map([...counts].filter(([, n]) => n >= least).sort(([, a], [, b]) => b - a));
}
