/** A pair of symbols as one number: both ids fit below 2²⁶, so the key is a safe integer. */
export const PAIR_BASE = 2 ** 26;

export const pairKey = (left: number, right: number): number => left * PAIR_BASE + right;

/**
 * A binary heap of (count, pair): the largest count first and, among equals, the smaller pair key, so that the
 * order in which pairs arrived never shows in what comes out.
 */
export class PairHeap {
  readonly #counts: number[] = [];
  readonly #keys: number[] = [];

  get size(): number {
    return this.#keys.length;
  }

  push(count: number, key: number): void {
    let at = this.#keys.length;
    this.#counts.push(count);
    this.#keys.push(key);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Removes and returns the first; undefined when empty. */
  pop(): { count: number; key: number } | undefined {
    if (this.#keys.length === 0) return undefined;
    this.#swap(0, this.#keys.length - 1);
    const top = { count: this.#counts.pop()!, key: this.#keys.pop()! };
    let at = 0;
    for (;;) {
      let first = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#keys.length && this.#before(child, first)) first = child;
      }
      if (first === at) return top;
      this.#swap(at, first);
      at = first;
    }
  }

  #before(a: number, b: number): boolean {
    const difference = this.#counts[a]! - this.#counts[b]!;
    return difference !== 0 ? difference > 0 : this.#keys[a]! < this.#keys[b]!;
  }

  #swap(a: number, b: number): void {
    const count = this.#counts[a]!;
    const key = this.#keys[a]!;
    this.#counts[a] = this.#counts[b]!;
    this.#keys[a] = this.#keys[b]!;
    this.#counts[b] = count;
    this.#keys[b] = key;
  }
}
