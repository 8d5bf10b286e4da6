import { OptionError } from "../../core/errors.ts";
import { padBatch } from "../../data/batching.ts";
import { normalizeText } from "../../data/text.ts";
import { coverageOf } from "../../models/pointer-generator/mixture.ts";
import type { PointerGenerator } from "../../models/pointer-generator/pointer-generator.ts";
import { pointerSearch } from "../../models/pointer-generator/search.ts";
import type { Hypothesis } from "../../models/seq2seq/beam.ts";
import { byLength } from "../by-length.ts";
import { checkTexts } from "../check-texts.ts";
import { isPenalty } from "../model-files.ts";
import type { Referenced } from "../references.ts";
import { isWord, joinWords, splitWords, type WordVocabulary } from "../words.ts";
import type { DraftCard } from "./card.ts";
import { type Pointing, scorePointing } from "./copying.ts";
import type { SummarizationModel } from "./read.ts";

const BATCH_SIZE = 16;

export interface SummarizeOptions {
  /** Candidates kept at each word. @default the card's */
  beam?: number;
  /** α of `lengthPenaltyOf`, ≥ 0: the larger, the longer summaries become. @default the card's */
  lengthPenalty?: number;
  /** Let no three words in a row come twice. @default the card's */
  blockTrigrams?: boolean;
  /** Longest summary in tokens. @default the card's */
  maxLength?: number;
  /** Whether the score reads the coverage. @default whether the model has one */
  coverage?: boolean;
  /** Whether words are copied. @default whether the model can */
  pointing?: boolean;
  /** Summaries of each text, the best with the next best as its `alternatives`; at least as many candidates are kept. @default 1 */
  nBest?: number;
}

/** A summary that a search ranked behind another one. */
export interface AlternativeSummary {
  target: string;
  score: number;
}

/** One summary, and how each of its words came about. */
export interface Summary {
  source: string;
  target: string;
  /** The tokens that were read, in the source's spelling. */
  sourceTokens: string[];
  /** Which of them the vocabulary lacks, [S]: these can only be copied. */
  outside: boolean[];
  targetTokens: string[];
  /** Where each word of the target looked, [T][S]. */
  weights: number[][];
  /** p_gen of each word, [T]: near 1 where it was written, near 0 where it was copied; empty for a model that cannot copy. */
  generate: number[];
  /** What all words before each one had looked at, [T][S]. */
  coverage: number[][];
  /** Σ_i min(a_ti, c_ti) of each word, [T]: how much of its look fell on what had been looked at, 0 … 1. */
  repeated: number[];
  /** Log-probability over the length penalty. */
  score: number;
  /** Tokens at the end of the source that were not read. */
  cut: number;
  /** The next best, with `nBest` above 1. */
  alternatives?: AlternativeSummary[];
}

/**
 * Sums up texts with a trained pointer-generator, from a folder that `runSummarization` wrote: `loadSummarizer`.
 */
export class Summarizer {
  readonly card: DraftCard;
  readonly #model: PointerGenerator;
  readonly #vocabulary: WordVocabulary;

  constructor({ card, model, vocabulary }: SummarizationModel) {
    this.card = card;
    this.#model = model;
    this.#vocabulary = vocabulary;
  }

  /**
   * One summary a text, in order. Of a long text the first `card.decoding.maxSource` tokens are read, and `cut` says how
   * many were not. A text without a word gives an empty summary.
   *
   * @throws OptionError OPTION
   */
  summarize(texts: readonly string[], options: SummarizeOptions = {}): Summary[] {
    checkTexts("Summarizer.summarize", texts);
    const { maxSource, ...decoding } = this.card.decoding;
    const { beam = decoding.beam, maxLength = decoding.maxLength, nBest = 1, coverage, pointing } = options;
    const { lengthPenalty = decoding.lengthPenalty } = options;
    checkCounts({ beam, maxLength, nBest });
    checkPenalty(lengthPenalty);
    const all = texts.map((text) => splitWords(normalizeText(text)));
    const read = all.map((tokens) => tokens.slice(0, maxSource));
    const encoded = read.map((tokens) => this.#vocabulary.source(tokens));
    const some = read.flatMap((tokens, n) => (tokens.some(isWord) ? [n] : []));
    const ranked: Hypothesis[][] = [];
    const found = byLength(
      some.map((n) => encoded[n]!.ids),
      BATCH_SIZE,
      (batch) =>
        pointerSearch(this.#model, padBatch(batch), {
          beam: Math.max(beam, nBest),
          maxLength,
          lengthPenalty,
          blockTrigrams: options.blockTrigrams ?? decoding.blockTrigrams,
          ...(coverage !== undefined && { coverage }),
          ...(pointing !== undefined && { pointing }),
        }),
    );
    for (const [k, n] of some.entries()) ranked[n] = found[k]!;
    return texts.map((source, n) => {
      const [sourceTokens, cut] = [read[n]!, all[n]!.length - read[n]!.length];
      const { ids, own } = encoded[n]!;
      const words = (one: Hypothesis | undefined) =>
        spelled(one?.ids.map((id) => this.#vocabulary.word(id, own)) ?? [], sourceTokens, one?.weights);
      const [best, ...others] = ranked[n] ?? [];
      const alternatives = others
        .slice(0, nBest - 1)
        .map((one) => ({ target: joinWords(words(one)).trim(), score: one.score }));
      return {
        source,
        cut,
        sourceTokens,
        outside: ids.map((id) => id >= this.#vocabulary.size),
        ...shown(words(best), sourceTokens, best),
        ...(alternatives.length > 0 && { alternatives }),
      };
    });
  }

  /** How often words outside of the vocabulary are copied where the references have them: `scorePointing`. */
  pointing(split: readonly Referenced[], options: Pick<SummarizeOptions, "pointing"> = {}): Pointing {
    const pairs = split.flatMap(({ source, references }) => {
      const tokens = splitWords(normalizeText(source)).slice(0, this.card.decoding.maxSource);
      const { ids, own } = this.#vocabulary.source(tokens);
      const target = (reference: string) => this.#vocabulary.target(splitWords(reference), own);
      return references.map((reference) => ({ source: ids, target: target(reference) }));
    });
    const { pointing } = options;
    return scorePointing(this.#model, pairs, pointing === undefined ? {} : { pointing });
  }

  dispose(): void {
    this.#model.dispose();
  }
}

/** The words of a hypothesis as a reader sees them, with what is known of each. */
function shown(targetTokens: string[], sourceTokens: readonly string[], best: Hypothesis | undefined) {
  const rows = (all: readonly Float32Array[]) =>
    all.map((row) => Array.from(row.slice(0, sourceTokens.length)));
  const weights = rows(best?.weights ?? []);
  const coverage = rows(coverageOf(best?.weights ?? []));
  return {
    target: joinWords(targetTokens).trim(),
    targetTokens,
    weights,
    generate: best?.generate ?? [],
    coverage,
    repeated: weights.map((row, t) => row.reduce((sum, a, s) => sum + Math.min(a, coverage[t]![s]!), 0)),
    score: best?.score ?? 0,
  };
}

/** The coverage of each word of the text once the whole summary is written: Σ_t a_t, [S]. */
export function coverageAfter({
  weights,
  sourceTokens,
}: Pick<Summary, "weights" | "sourceTokens">): number[] {
  return sourceTokens.map((_, s) => weights.reduce((sum, row) => sum + row[s]!, 0));
}

/** A look that is at least so strong says which spelling of a word was meant. */
const LEAST_LOOK = 0.5;

/**
 * Lower-case words as the source spells them: as it does where the word looked, with a weight of a half or more, else most
 * often and of equals first; the first one begins with a capital.
 *
 * @param weights where each word looked, [T][S]
 * @example
 * spelled(["bert", "for", "names"], ["Names", "like", "BERT"]); // ["BERT", "for", "Names"]
 */
export function spelled(
  words: readonly string[],
  sourceTokens: readonly string[],
  weights: readonly ArrayLike<number>[] = [],
): string[] {
  const spellings = new Map<string, Map<string, number>>();
  for (const token of sourceTokens) {
    const word = token.toLowerCase();
    const counts = spellings.get(word) ?? new Map<string, number>();
    spellings.set(word, counts.set(token, (counts.get(token) ?? 0) + 1));
  }
  const tokens = words.map((word, t) => {
    const looked = sourceTokens.find((_, s) => weights[t] && weights[t][s]! >= LEAST_LOOK);
    if (looked?.toLowerCase() === word) return looked;
    const counts = [...(spellings.get(word) ?? [])];
    return counts.sort(([, m], [, n]) => n - m)[0]?.[0] ?? word;
  });
  const [first, ...rest] = tokens;
  return first === undefined ? [] : [first.charAt(0).toUpperCase() + first.slice(1), ...rest];
}

function checkPenalty(lengthPenalty: number): void {
  if (isPenalty(lengthPenalty)) return;
  const fault = { op: "summarize", rule: "lengthPenalty must be a number ≥ 0", got: lengthPenalty };
  throw new OptionError("OPTION", { ...fault, remedy: "choose another one" });
}

function checkCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) {
    if (Number.isInteger(count) && count >= 1) continue;
    const fault = { op: "summarize", rule: `${name} must be an integer ≥ 1`, got: count };
    throw new OptionError("OPTION", { ...fault, remedy: "choose another one" });
  }
}
