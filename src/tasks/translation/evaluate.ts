import { corpusBleu } from "../../train/metrics/bleu.ts";
import { corpusChrf } from "../../train/metrics/chrf.ts";
import { exactMatch } from "../../train/metrics/exact-match.ts";
import type { Referenced } from "../references.ts";
import type { TranslateOptions, Translation } from "./translation.ts";

/** How well a split is translated, as sacreBLEU scores it. */
export interface Evaluation {
  sources: number;
  bleu: number;
  chrf: number;
  signatures: string[];
  /** Share of sentences that equal one of their references. */
  exact: number;
  seconds: number;
}

/** Translates every source of a split and scores the result against all its references. */
export function evaluate(
  translator: { translate(lines: readonly string[], options?: TranslateOptions): Translation[] },
  split: readonly Referenced[],
  options: TranslateOptions = {},
): Evaluation {
  const begun = performance.now();
  const sources = split.map(({ source }) => source);
  const hypotheses = translator
    .translate(sources, { ...options, weights: false })
    .map(({ target }) => target);
  const seconds = (performance.now() - begun) / 1000;
  const references = split.map((one) => one.references);
  const bleu = corpusBleu(hypotheses, references);
  const chrf = corpusChrf(hypotheses, references);
  const exact = exactMatch(hypotheses, references);
  return {
    sources: split.length,
    bleu: bleu.score,
    chrf: chrf.score,
    signatures: [bleu.signature, chrf.signature],
    exact,
    seconds,
  };
}
