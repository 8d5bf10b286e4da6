import { RandomStream } from "../../core/random.ts";
import type { TokenPair } from "../../data/batching.ts";
import { SPECIAL_PIECES } from "../../data/bpe.ts";

/** The most frequent words, articles and the like, are known everywhere and never hidden. */
const FREQUENT = 150;
/** Streams from here on say which words of a pair are hidden. */
const FIRST_STREAM = 2 ** 46;

export interface HiddenCopiesOptions {
  /** V of the vocabulary that the pairs were encoded with. */
  vocabulary: number;
  /** The share of the words that a source and its target have in common that are hidden, 0 … 1. */
  share: number;
  seed: number;
}

/**
 * Second copies of pairs in which some words are hidden, as if the vocabulary lacked them: what the target has of them can only be
 * copied. Names are rare in what a model reads, and this makes more of them. Which words are hidden is drawn for each pair by its
 * number; a pair without one has no copy.
 *
 * @example
 * const pairs = [{ source: [4, 300, 900], target: [900, 300, 2] }]; // of a vocabulary of 900 words, and one of its own
 * hiddenCopies(pairs, { vocabulary: 900, share: 1, seed: 1 }); // [{ source: [4, 900, 901], target: [901, 900, 2] }]
 */
export function hiddenCopies(
  pairs: readonly TokenPair[],
  { vocabulary: V, share, seed }: HiddenCopiesOptions,
): TokenPair[] {
  if (share === 0) return [];
  return pairs.flatMap(({ source, target }, n) => {
    const random = new RandomStream(seed, FIRST_STREAM + n);
    const has = new Set(source);
    const known = (id: number) => id >= SPECIAL_PIECES.length + FREQUENT && id < V;
    const common = [...new Set(target)].filter((id) => known(id) && has.has(id));
    const hidden = new Set(common.filter(() => random.uniform() < share));
    if (hidden.size === 0) return [];
    // The source's own words are numbered from V on as they come.
    const own = new Map<number, number>();
    for (const id of source) if ((id >= V || hidden.has(id)) && !own.has(id)) own.set(id, V + own.size);
    const numbered = (ids: readonly number[]) => ids.map((id) => own.get(id) ?? id);
    return [{ source: numbered(source), target: numbered(target) }];
  });
}
