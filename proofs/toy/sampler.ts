import type { RandomStream } from "../../src/core/random.ts";
import type { ToyLanguage, ToyPair } from "./language.ts";

/** Which sentences to draw. */
export interface ToySample {
  /** Shortest and longest source, in words; each length between is equally likely. */
  lengths: readonly [shortest: number, longest: number];
  /** Sentences kept from training, or the others. */
  heldOut: boolean;
}

/** One sentence in this many is held out. */
const HELD_OUT_PART = 8;

/**
 * Whether a sentence is kept from training: decided by a hash of its words, so that training and held-out sentences
 * can never be the same, however many are drawn.
 */
export function isHeldOut(source: readonly number[]): boolean {
  let hash = 0x811c9dc5;
  for (const word of source) hash = Math.imul(hash ^ word, 0x01000193);
  // FNV-1a leaves its low bits to the low bits of the words; the finaliser of MurmurHash3 mixes them all.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % HELD_OUT_PART === 0;
}

/**
 * Random pairs of a language; the same stream gives the same pairs.
 */
export function drawPairs(
  language: ToyLanguage,
  random: RandomStream,
  count: number,
  { lengths: [shortest, longest], heldOut }: ToySample,
): ToyPair[] {
  const pairs: ToyPair[] = [];
  while (pairs.length < count) {
    const length = shortest + random.integer(longest - shortest + 1);
    let source = language.draw(random, length);
    while (isHeldOut(source) !== heldOut) source = language.draw(random, length);
    pairs.push(language.translate(source));
  }
  return pairs;
}
