/**
 * The n-grams of one sequence as a tree, so that comparing another sequence costs one step per shared symbol: where
 * an n-gram is absent, so is every longer one that begins with it, and the walk stops.
 *
 * Symbols are whole numbers below 2²¹: code points, or the numbers of an `Interner`.
 */
export class Ngrams {
  /** How many n-grams of each order the sequence has: max(0, length − n + 1) for n = 1 … order. */
  readonly totals: number[];
  readonly #order: number;
  /** node · 2²¹ + symbol → node; the root is node 0. */
  readonly #children = new Map<number, number>();
  readonly #counts: number[] = [0];
  readonly #depths: number[] = [0];

  constructor(symbols: readonly number[], order: number) {
    this.#order = order;
    this.totals = ngramTotals(symbols.length, order);
    for (let start = 0; start < symbols.length; start++) {
      const end = Math.min(start + order, symbols.length);
      for (let i = start, node = 0; i < end; i++) {
        const key = node * SYMBOLS + symbols[i]!;
        let child = this.#children.get(key);
        if (child === undefined) {
          child = this.#counts.length;
          this.#children.set(key, child);
          this.#depths.push(this.#depths[node]! + 1);
          this.#counts.push(0);
        }
        this.#counts[child]!++;
        node = child;
      }
    }
  }

  /** @returns per n-gram of this sequence how often `other` has it too, at most as often as this sequence has it */
  sharedWith(other: readonly number[]): Int32Array {
    const shared = new Int32Array(this.#counts.length);
    for (let start = 0; start < other.length; start++) {
      const end = Math.min(start + this.#order, other.length);
      for (let i = start, node = 0; i < end; i++) {
        const child = this.#children.get(node * SYMBOLS + other[i]!);
        if (child === undefined) break;
        if (shared[child]! < this.#counts[child]!) shared[child]!++;
        node = child;
      }
    }
    return shared;
  }

  /** @returns the sum of such counts for each order 1 … order */
  byOrder(shared: Int32Array): number[] {
    const sums: number[] = new Array(this.#order).fill(0);
    for (let node = 1; node < shared.length; node++) sums[this.#depths[node]! - 1]! += shared[node]!;
    return sums;
  }
}

const SYMBOLS = 2 ** 21;

export function ngramTotals(length: number, order: number): number[] {
  return Array.from({ length: order }, (_, i) => Math.max(0, length - i));
}

/** Numbers for words: equal words, equal numbers. */
export class Interner {
  readonly #numbers = new Map<string, number>();

  numbersOf(words: readonly string[]): number[] {
    return words.map((word) => {
      const number = this.#numbers.get(word) ?? this.#numbers.size;
      this.#numbers.set(word, number);
      return number;
    });
  }
}
