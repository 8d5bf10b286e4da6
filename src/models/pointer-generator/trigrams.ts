import type { Restriction } from "../seq2seq/beam.ts";

/**
 * Trigram blocking: no three words in a row may come twice in an output.
 *
 * Paper: Paulus, Xiong & Socher 2017, §2.5, arxiv.org/abs/1705.04304.
 *
 * @example
 * let rule = new TrigramBlocking();
 * for (const id of [5, 6, 7, 5, 6]) rule = rule.after(id);
 * rule.allows(7); // false
 */
export class TrigramBlocking implements Restriction {
  readonly #words: readonly number[];
  readonly #closed: ReadonlySet<number>;

  constructor(words: readonly number[] = []) {
    this.#words = words;
    const [a, b] = words.slice(-2);
    const ends = words.flatMap((word, n) =>
      n >= 2 && words[n - 2] === a && words[n - 1] === b ? [word] : [],
    );
    this.#closed = new Set(ends);
  }

  allows(id: number): boolean {
    return !this.#closed.has(id);
  }

  after(id: number): TrigramBlocking {
    return new TrigramBlocking([...this.#words, id]);
  }
}

/**
 * The share of an output's trigrams that it had before; 0 for one of less than three words.
 *
 * @example
 * repeatedTrigrams([5, 6, 7, 5, 6, 7]); // 0.25
 */
export function repeatedTrigrams(words: readonly (number | string)[]): number {
  const trigrams = words.slice(2).map((word, n) => JSON.stringify([words[n], words[n + 1], word]));
  return trigrams.length === 0 ? 0 : 1 - new Set(trigrams).size / trigrams.length;
}
