import { beamSearch } from "../../src/models/seq2seq/search.ts";
import type { Seq2Seq } from "../../src/models/seq2seq/seq2seq.ts";
import { alignmentAccuracy, alignmentErrorRate, argmaxAlignment } from "../../src/train/metrics/aer.ts";
import { FIRST_WORD, toyBatch } from "./batch.ts";
import type { ToyPair } from "./language.ts";

/** How well a model does on pairs, decoding greedily. */
export interface Marks {
  /** The share of sentences translated exactly, 0 … 1. */
  exact: number;
  /** The share of target words whose largest weight is on a gold word, 0 … 1. */
  alignmentAccuracy: number;
  /** 0 (best) … 1. */
  alignmentErrorRate: number;
  /** `exact` by source length in words. */
  exactByLength: Record<number, number>;
  /** `exact` of the sentences with an idiom, whose gold has possible links; NaN where none has. */
  exactIdiom: number;
}

/**
 * Marks what the model itself writes, not what it would look at with the right words forced on it: a wrong
 * translation loses its alignment as well.
 */
export function markPairs(model: Seq2Seq, pairs: readonly ToyPair[]): Marks {
  const { source } = toyBatch(pairs);
  const outputs = beamSearch(model, source).map(([best]) => best!);
  const right = outputs.map(({ ids }, i) => sameWords(ids, pairs[i]!.target));
  const links = outputs.map(({ ids, weights }) => {
    return argmaxAlignment(
      weights.flatMap((row) => Array.from(row)),
      [ids.length, source.width],
    );
  });
  const gold = pairs.map((pair) => pair.gold);
  const shareOf = (chosen: (pair: ToyPair) => boolean) => share(right.filter((_, i) => chosen(pairs[i]!)));
  const lengths = [...new Set(pairs.map((pair) => pair.source.length))].sort((a, b) => a - b);
  return {
    exact: share(right),
    alignmentAccuracy: alignmentAccuracy(links, gold),
    alignmentErrorRate: alignmentErrorRate(links, gold).errorRate,
    exactByLength: Object.fromEntries(lengths.map((n) => [n, shareOf((pair) => pair.source.length === n)])),
    exactIdiom: shareOf(({ gold: { possible = [] } }) => possible.length > 0),
  };
}

function sameWords(pieces: readonly number[], words: readonly number[]): boolean {
  return pieces.length === words.length && pieces.every((piece, t) => piece === words[t]! + FIRST_WORD);
}

function share(right: readonly boolean[]): number {
  return right.filter(Boolean).length / right.length;
}
