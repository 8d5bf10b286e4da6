/** Whether two lists have the same things in the same places. */
export function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((part, n) => part === b[n]);
}

/** What was made last, kept while what it was made of is the same. */
export class Memo<T> {
  #last: { readonly of: readonly unknown[]; readonly made: T } | undefined;

  get(of: readonly unknown[], make: () => T): T {
    if (!this.#last || !isSame(of, this.#last.of)) this.#last = { of, made: make() };
    return this.#last.made;
  }
}
