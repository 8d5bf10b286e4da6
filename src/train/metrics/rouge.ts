/**
 * ROUGE-1, -2 and -L (Lin 2004, aclanthology.org/W04-1013), as rouge-score 0.1.2 computes them (google-research, PyPI).
 *
 *     precision = shared / in the hypothesis,   recall = shared / in the reference,   F = 2PR / (P + R)
 *
 * What is shared: of ROUGE-n the n-grams, each at most as often as on the other side; of `rougeL` a longest common
 * subsequence of the words; of `rougeLsum`, ROUGE-L of a whole summary (§3.2), for each sentence of the reference the union
 * of what a longest common subsequence with each sentence of the hypothesis has, no word more often than it stands on
 * either side. Sentences are lines, as rouge-score takes them. Words are runs of a–z and 0–9 in lower case; with `stem`
 * those of more than three letters are stems (`porterStem`).
 *
 * Of several references each measure takes the one with the best F, the first of equals. Scores run from 0 to 100.
 */
import { porterStem } from "./porter-stemmer.ts";
import { referenceCount, requireSegments } from "./segments.ts";

const MEASURES = ["rouge1", "rouge2", "rougeL", "rougeLsum"] as const;
type Measure = (typeof MEASURES)[number];

export interface RougeOptions {
  /** Compare stems, so that "runs" matches "running". @default false */
  stem?: boolean;
}

/** 0 … 100 each. */
export interface RougeValue {
  precision: number;
  recall: number;
  /** The F-measure, which is the score that is usually meant. */
  f: number;
}

export interface RougeScore extends Record<Measure, RougeValue> {
  /** How the score was made; the version is the one whose numbers these are. */
  signature: string;
}

/**
 * The mean of each measure over the segments. rouge-score itself gives the median of means of random samples, which comes
 * near it and differs from call to call.
 *
 * @param hypotheses one summary a segment
 * @param references per segment its references, one at least
 * @throws DataError SHAPE for an empty corpus, unequal lengths, or a segment without reference
 *
 * @example
 * corpusRouge(["the cat sat"], [["the cat sat down"]]).rougeL.precision; // 100
 */
export function corpusRouge(
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
  { stem = false }: RougeOptions = {},
): RougeScore {
  requireSegments("corpusRouge", hypotheses, references);
  return rouge(hypotheses, references, stem);
}

/**
 * ROUGE of one segment.
 *
 * @throws DataError SHAPE without a reference
 * @example
 * sentenceRouge("police killed the gunman", ["police kill the gunman"]).rougeL.f; // 75
 */
export function sentenceRouge(
  hypothesis: string,
  references: readonly string[],
  { stem = false }: RougeOptions = {},
): RougeScore {
  requireSegments("sentenceRouge", [hypothesis], [references]);
  return rouge([hypothesis], [references], stem);
}

function rouge(
  hypotheses: readonly string[],
  references: readonly (readonly string[])[],
  stem: boolean,
): RougeScore {
  const means = Object.fromEntries(
    MEASURES.map((measure) => {
      const sum = { precision: 0, recall: 0, f: 0 };
      for (const [i, hypothesis] of hypotheses.entries()) {
        const best = bestOf(measure, hypothesis, references[i]!, stem);
        sum.precision += best.precision;
        sum.recall += best.recall;
        sum.f += best.f;
      }
      const mean = (x: number) => (100 * x) / hypotheses.length;
      return [measure, { precision: mean(sum.precision), recall: mean(sum.recall), f: mean(sum.f) }];
    }),
  ) as Record<Measure, RougeValue>;
  const signature = `nrefs:${referenceCount(references)}|stem:${stem ? "yes" : "no"}|tok:rouge-score|version:0.1.2`;
  return { ...means, signature };
}

/** From 0 to 1. */
function bestOf(
  measure: Measure,
  hypothesis: string,
  references: readonly string[],
  stem: boolean,
): RougeValue {
  let best: RougeValue | undefined;
  for (const reference of references) {
    const value = measured(measure, hypothesis, reference, stem);
    if (!best || value.f > best.f) best = value;
  }
  return best!;
}

function measured(measure: Measure, hypothesis: string, reference: string, stem: boolean): RougeValue {
  if (measure === "rougeLsum") {
    const sentences = (text: string) => text.split("\n").map((line) => rougeWords(line, stem));
    return summaryLevel(sentences(hypothesis), sentences(reference));
  }
  const [own, other] = [rougeWords(hypothesis, stem), rougeWords(reference, stem)];
  if (measure === "rougeL") {
    return shares(longestCommon(other, own).length, own.length, other.length);
  }
  const order = measure === "rouge1" ? 1 : 2;
  const [found, wanted] = [countNgrams(own, order), countNgrams(other, order)];
  let shared = 0;
  for (const [ngram, count] of wanted) shared += Math.min(count, found.get(ngram) ?? 0);
  const total = (words: readonly string[]) => Math.max(0, words.length - order + 1);
  return shares(shared, total(own), total(other));
}

/** The words that ROUGE compares. */
export function rougeWords(text: string, stem = false): string[] {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return stem ? words.map((word) => (word.length > 3 ? porterStem(word) : word)) : [...words];
}

function shares(shared: number, own: number, other: number): RougeValue {
  const precision = shared / Math.max(1, own);
  const recall = shared / Math.max(1, other);
  const f = precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0;
  return { precision, recall, f };
}

function countNgrams(words: readonly string[], order: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + order <= words.length; i++) add(counts, words.slice(i, i + order).join(" "), 1);
  return counts;
}

/** Places in `reference` of one longest common subsequence: the one that rouge-score reads from its table. */
function longestCommon(reference: readonly string[], words: readonly string[]): number[] {
  const [R, W] = [reference.length, words.length];
  const width = W + 1;
  const lengths = new Uint32Array((R + 1) * width);
  for (let r = 1; r <= R; r++) {
    for (let w = 1; w <= W; w++) {
      lengths[r * width + w] =
        reference[r - 1] === words[w - 1]
          ? lengths[(r - 1) * width + w - 1]! + 1
          : Math.max(lengths[(r - 1) * width + w]!, lengths[r * width + w - 1]!);
    }
  }
  const places: number[] = [];
  for (let r = R, w = W; r > 0 && w > 0; ) {
    if (reference[r - 1] === words[w - 1]) {
      places.push(--r);
      w--;
    } else if (lengths[r * width + w - 1]! > lengths[(r - 1) * width + w]!) w--;
    else r--;
  }
  return places.reverse();
}

function summaryLevel(own: readonly string[][], other: readonly string[][]): RougeValue {
  const [left, open] = [own, other].map((sentences) => {
    const counts = new Map<string, number>();
    for (const word of sentences.flat()) add(counts, word, 1);
    return counts;
  }) as [Map<string, number>, Map<string, number>];
  let hits = 0;
  for (const sentence of other) {
    const union = new Set(own.flatMap((words) => longestCommon(sentence, words)));
    for (const place of union) {
      const word = sentence[place]!;
      if (!left.get(word) || !open.get(word)) continue;
      hits++;
      add(left, word, -1);
      add(open, word, -1);
    }
  }
  return shares(hits, own.flat().length, other.flat().length);
}

function add(counts: Map<string, number>, key: string, n: number): void {
  counts.set(key, (counts.get(key) ?? 0) + n);
}
