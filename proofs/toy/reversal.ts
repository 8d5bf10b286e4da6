import { reordered, type ToyLanguage } from "./language.ts";

/**
 * The last word comes first.
 *
 *     a b c d e  →  E D C B A
 */
export function reversal(words = 24): ToyLanguage {
  return reordered("reversal", words, 1, (t, length) => length - 1 - t);
}
