import { repeatedTrigrams } from "../../models/pointer-generator/trigrams.ts";
import { corpusRouge, type RougeScore } from "../../train/metrics/rouge.ts";
import type { Referenced } from "../references.ts";
import { scoreLead } from "./lead.ts";
import type { SummarizeOptions, Summary } from "./summarizer.ts";

/** F of each measure, 0 … 100. */
export interface RougeF {
  rouge1: number;
  rouge2: number;
  rougeL: number;
}

/** How well a split is summed up, beside what needs no model. */
export interface Evaluation extends RougeF {
  sources: number;
  /** The first words of each text. */
  lead: RougeF & { words: number };
  /** The whole text. */
  copy: RougeF;
  /** Mean share of a summary's trigrams that it had before. */
  repeats: number;
  signature: string;
  seconds: number;
}

/**
 * Sums up every text of a split and scores the result against all its references, beside the first `leadWords` words and
 * the whole text.
 */
export function evaluate(
  summarizer: { summarize(texts: readonly string[], options?: SummarizeOptions): Summary[] },
  split: readonly Referenced[],
  { leadWords, ...options }: SummarizeOptions & { leadWords: number },
): Evaluation {
  const begun = performance.now();
  const summaries = summarizer.summarize(
    split.map(({ source }) => source),
    options,
  );
  const seconds = (performance.now() - begun) / 1000;
  const score = corpusRouge(
    summaries.map(({ target }) => target),
    split.map(({ references }) => references),
  );
  return {
    sources: split.length,
    ...fOf(score),
    lead: { words: leadWords, ...fOf(scoreLead(split, leadWords)) },
    copy: fOf(scoreLead(split, Number.POSITIVE_INFINITY)),
    repeats:
      summaries.reduce((sum, { targetTokens }) => sum + repeatedTrigrams(targetTokens), 0) / split.length,
    signature: score.signature,
    seconds,
  };
}

const fOf = ({ rouge1, rouge2, rougeL }: RougeScore): RougeF => ({
  rouge1: rouge1.f,
  rouge2: rouge2.f,
  rougeL: rougeL.f,
});
