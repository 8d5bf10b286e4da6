/**
 * BLEU (Papineni et al. 2002, aclanthology.org/P02-1040), as sacreBLEU 2.5.1 computes it by default
 * (Post 2018, arxiv.org/abs/1804.08771).
 *
 *     BLEU = BP · exp(¼ Σ_{n=1…4} ln pₙ),   BP = min(1, exp(1 − r / c)),   pₙ = 100 · correctₙ / totalₙ
 *
 * `correctₙ` counts the n-grams of the hypotheses that a reference has too, each at most as often as in the
 * reference that has it most often; `c` is the length of the hypotheses and `r` the sum of the reference lengths
 * closest to each (the shorter of two equally close). Tokens are `13a`, case counts, and the k-th order without a
 * match has pₙ = 100 / (2ᵏ · totalₙ) (`exp` smoothing). Without a single matching word BLEU is 0.
 *
 * Segments may have different numbers of references (`None` in sacreBLEU). Scores run from 0 to 100.
 */
import { Interner, Ngrams } from "./ngrams.ts";
import { referenceCount, requireSegments } from "./segments.ts";
import { tokenize13a } from "./tokenize-13a.ts";

const ORDER = 4;

export interface BleuScore {
  /** 0 … 100 */
  score: number;
  /** Per order 1 … 4, 0 … 100, smoothed. */
  precisions: number[];
  /** Per order, the matching n-grams. */
  correct: number[];
  /** Per order, the n-grams of the hypotheses. */
  total: number[];
  brevityPenalty: number;
  /** In tokens. */
  hypothesisLength: number;
  referenceLength: number;
  /** How the score was made, in sacreBLEU's words; the version is the one whose numbers these are. */
  signature: string;
}

/**
 * @param hypotheses one translation per segment, not tokenised
 * @param references per segment its references, one at least
 * @throws DataError SHAPE for an empty corpus, unequal lengths, or a segment without reference
 *
 * @example
 * corpusBleu(["Le chat dort ici."], [["Le chat dort là.", "Le chat dort ici."]]).score; // 100
 */
export function corpusBleu(
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
): BleuScore {
  requireSegments("corpusBleu", hypotheses, references);
  return bleu(hypotheses, references, false);
}

/**
 * BLEU of one segment, with effective order: orders longer than the hypothesis are left out of the mean.
 *
 * @example
 * sentenceBleu("Bonjour.", ["Bonjour."]).score; // 100
 * corpusBleu(["Bonjour."], [["Bonjour."]]).score; // 0
 */
export function sentenceBleu(hypothesis: string, references: readonly string[]): BleuScore {
  requireSegments("sentenceBleu", [hypothesis], [references]);
  return bleu([hypothesis], [references], true);
}

function bleu(
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
  effectiveOrder: boolean,
): BleuScore {
  const correct = new Array<number>(ORDER).fill(0);
  const total = new Array<number>(ORDER).fill(0);
  let hypothesisLength = 0;
  let referenceLength = 0;
  hypotheses.forEach((hypothesis, i) => {
    const segment = compare(hypothesis, references[i]!);
    hypothesisLength += segment.hypothesisLength;
    referenceLength += segment.referenceLength;
    for (let n = 0; n < ORDER; n++) {
      correct[n]! += segment.correct[n]!;
      total[n]! += segment.total[n]!;
    }
  });
  const brevityPenalty =
    hypothesisLength >= referenceLength
      ? 1
      : hypothesisLength > 0
        ? Math.exp(1 - referenceLength / hypothesisLength)
        : 0;
  const { score, precisions } = combine(correct, total, brevityPenalty, effectiveOrder);
  const eff = effectiveOrder ? "yes" : "no";
  const signature = `nrefs:${referenceCount(references)}|case:mixed|eff:${eff}|tok:13a|smooth:exp|version:2.5.1`;
  return {
    score,
    precisions,
    correct,
    total,
    brevityPenalty,
    hypothesisLength,
    referenceLength,
    signature,
  };
}

function compare(hypothesis: string, references: readonly string[]) {
  const interner = new Interner();
  const words = interner.numbersOf(tokenize13a(hypothesis));
  const ngrams = new Ngrams(words, ORDER);
  let best: Int32Array | undefined;
  let referenceLength = -1;
  for (const reference of references) {
    const other = interner.numbersOf(tokenize13a(reference));
    const shared = ngrams.sharedWith(other);
    best = best ? best.map((count, node) => Math.max(count, shared[node]!)) : shared;
    const farther = Math.abs(words.length - other.length) - Math.abs(words.length - referenceLength);
    if (referenceLength < 0 || farther < 0 || (farther === 0 && other.length < referenceLength))
      referenceLength = other.length;
  }
  return {
    correct: ngrams.byOrder(best!),
    total: ngrams.totals,
    hypothesisLength: words.length,
    referenceLength,
  };
}

function combine(correct: number[], total: number[], brevityPenalty: number, effectiveOrder: boolean) {
  const precisions = new Array<number>(ORDER).fill(0);
  if (correct.every((count) => count === 0)) return { score: 0, precisions };
  let orders = ORDER;
  let smoothing = 1;
  for (let n = 0; n < ORDER && total[n]! > 0; n++) {
    if (effectiveOrder) orders = n + 1;
    if (correct[n] === 0) smoothing *= 2;
    precisions[n] = (100 * (correct[n] || 1 / smoothing)) / total[n]!;
  }
  let logSum = 0;
  for (const precision of precisions.slice(0, orders)) logSum += Math.log(precision);
  // An order without any n-gram has precision 0, whose logarithm makes the score 0.
  return { score: brevityPenalty * Math.exp(logSum / orders), precisions };
}
