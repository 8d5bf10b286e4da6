import { reordered, type ToyLanguage } from "./language.ts";

/**
 * Neighbours trade places, two by two; the last word of an odd sentence stays.
 *
 *     a b c d e  →  B A D C E
 */
export function localSwap(words = 24): ToyLanguage {
  return reordered("local-swap", words, 0, (t, length) => Math.min(t % 2 === 0 ? t + 1 : t - 1, length - 1));
}
