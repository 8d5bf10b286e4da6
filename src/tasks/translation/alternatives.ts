import type { Translation } from "./translation.ts";

/**
 * The first `count` of a line's translations that are different texts: several spellings in pieces can be one text, which
 * counts once.
 *
 * @param most translations that there are
 * @param nth makes the n-th of them, from 0
 */
export function differentOnes(
  count: number,
  most: number,
  nth: (n: number) => Translation,
): [Translation, ...Translation[]] {
  const first = nth(0);
  const texts = new Map([[first.target, first]]);
  for (let n = 1; n < most && texts.size < count; n++) {
    const other = nth(n);
    if (!texts.has(other.target)) texts.set(other.target, other);
  }
  return [first, ...[...texts.values()].slice(1)];
}
