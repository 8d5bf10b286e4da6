import { type PaddedBatch, padBatch } from "../../src/data/batching.ts";
import { END, UNKNOWN } from "../../src/data/bpe.ts";
import type { ToyPair } from "./language.ts";

/** The piece of word 0: the special pieces of every vocabulary come first. */
export const FIRST_WORD = UNKNOWN + 1;

/** Pairs as a model reads them: words as pieces, targets ended by END. */
export function toyBatch(pairs: readonly ToyPair[]): { source: PaddedBatch; target: PaddedBatch } {
  const pieces = (words: readonly number[]) => words.map((word) => word + FIRST_WORD);
  return {
    source: padBatch(pairs.map(({ source }) => pieces(source))),
    target: padBatch(pairs.map(({ target }) => [...pieces(target), END])),
  };
}
