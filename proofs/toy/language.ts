import { RandomStream } from "../../src/core/random.ts";
import type { GoldAlignment } from "../../src/train/metrics/aer.ts";

/** A sentence, its only translation, and which words the translation came from. Words are numbers from 0. */
export interface ToyPair {
  source: number[];
  target: number[];
  gold: GoldAlignment;
}

/** A made-up language pair whose rules are known, so that a model's translations and alignments can be marked. */
export interface ToyLanguage {
  readonly name: string;
  /** Number of words, the same on both sides. */
  readonly words: number;
  /** A random sentence of `length` words. */
  draw(random: RandomStream, length: number): number[];
  translate(source: readonly number[]): ToyPair;
}

/** `length` words, each equally likely. */
export function uniformWords(random: RandomStream, length: number, words: number): number[] {
  return Array.from({ length }, () => random.integer(words));
}

/** The dictionary of a language: a fixed random permutation, so that no word looks like its translation. */
export function dictionary(words: number, stream: number): number[] {
  const DICTIONARIES = 7919;
  return new RandomStream(DICTIONARIES, stream).shuffle(Array.from({ length: words }, (_, word) => word));
}

/** A language whose translation is the dictionary's word for each source word, in another order. */
export function reordered(
  name: string,
  words: number,
  stream: number,
  sourceOf: (t: number, length: number) => number,
): ToyLanguage {
  const meaning = dictionary(words, stream);
  return {
    name,
    words,
    draw: (random, length) => uniformWords(random, length, words),
    translate(source) {
      const order = source.map((_, t) => sourceOf(t, source.length));
      return {
        source: [...source],
        target: order.map((s) => meaning[source[s]!]!),
        gold: { sure: order.map((s, t) => [s, t] as const) },
      };
    },
  };
}
