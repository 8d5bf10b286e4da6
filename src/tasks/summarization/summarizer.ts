import { OptionError } from "../../core/errors.ts";
import { padBatch } from "../../data/batching.ts";
import { normalizeText } from "../../data/text.ts";
import { useHeedBackend } from "../../host/select.ts";
import { coverageOf } from "../../models/pointer-generator/mixture.ts";
import type { PointerGenerator } from "../../models/pointer-generator/pointer-generator.ts";
import { pointerSearch } from "../../models/pointer-generator/search.ts";
import type { Hypothesis } from "../../models/seq2seq/beam.ts";
import { byLength } from "../by-length.ts";
import type { DraftCard } from "./card.ts";
import { readModelFolder, type SummarizationModel } from "./files.ts";
import { joinWords, splitWords, type WordVocabulary } from "./words.ts";

const BATCH_SIZE = 16;

export interface SummarizeOptions {
  /** Candidates kept at each word. @default the card's */
  beam?: number;
  /** Let no three words in a row come twice. @default the card's */
  blockTrigrams?: boolean;
  /** Longest summary in tokens. @default the card's */
  maxLength?: number;
}

/** One summary, and how each of its words came about. */
export interface Summary {
  source: string;
  target: string;
  /** The tokens that were read, in the source's spelling. */
  sourceTokens: string[];
  targetTokens: string[];
  /** Where each word of the target looked, [T][S]. */
  weights: number[][];
  /** p_gen of each word, [T]: near 1 where it was written, near 0 where it was copied; empty for a model that cannot copy. */
  generate: number[];
  /** What all words before each one had looked at, [T][S]. */
  coverage: number[][];
  /** Log-probability over the length penalty. */
  score: number;
  /** Tokens at the end of the source that were not read. */
  cut: number;
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
    const { maxSource, ...decoding } = this.card.decoding;
    const { beam = decoding.beam, maxLength = decoding.maxLength } = options;
    checkCounts({ beam, maxLength });
    const all = texts.map((text) => splitWords(normalizeText(text)));
    const read = all.map((tokens) => tokens.slice(0, maxSource));
    const encoded = read.map((tokens) => this.#vocabulary.source(tokens));
    const some = encoded.flatMap(({ ids }, n) => (ids.length > 0 ? [n] : []));
    const best: Hypothesis[] = [];
    const found = byLength(
      some.map((n) => encoded[n]!.ids),
      BATCH_SIZE,
      (batch) =>
        pointerSearch(this.#model, padBatch(batch), {
          beam,
          maxLength,
          lengthPenalty: decoding.lengthPenalty,
          blockTrigrams: options.blockTrigrams ?? decoding.blockTrigrams,
        }).map(([first]) => first!),
    );
    for (const [k, n] of some.entries()) best[n] = found[k]!;
    return texts.map((source, n) => {
      const [sourceTokens, cut] = [read[n]!, all[n]!.length - read[n]!.length];
      const words = best[n]?.ids.map((id) => this.#vocabulary.word(id, encoded[n]!.own)) ?? [];
      return { source, cut, sourceTokens, ...shown(words, sourceTokens, best[n]) };
    });
  }

  dispose(): void {
    this.#model.dispose();
  }
}

/** The words of a hypothesis as a reader sees them, with what is known of each. */
function shown(words: readonly string[], sourceTokens: readonly string[], best: Hypothesis | undefined) {
  const targetTokens = spelled(words, sourceTokens);
  const rows = (all: readonly Float32Array[]) =>
    all.map((row) => Array.from(row.slice(0, sourceTokens.length)));
  return {
    target: joinWords(targetTokens).trim(),
    targetTokens,
    weights: rows(best?.weights ?? []),
    generate: best?.generate ?? [],
    coverage: rows(coverageOf(best?.weights ?? [])),
    score: best?.score ?? 0,
  };
}

/**
 * Lower-case words as the source spells them, most often and of equals first; the first one begins with a capital.
 *
 * @example
 * spelled(["bert", "for", "names"], ["Names", "like", "BERT"]); // ["BERT", "for", "Names"]
 */
export function spelled(words: readonly string[], sourceTokens: readonly string[]): string[] {
  const spellings = new Map<string, Map<string, number>>();
  for (const token of sourceTokens) {
    const word = token.toLowerCase();
    const counts = spellings.get(word) ?? new Map<string, number>();
    spellings.set(word, counts.set(token, (counts.get(token) ?? 0) + 1));
  }
  const tokens = words.map((word) => {
    const counts = [...(spellings.get(word) ?? [])];
    return counts.sort(([, m], [, n]) => n - m)[0]?.[0] ?? word;
  });
  const [first, ...rest] = tokens;
  return first === undefined ? [] : [first.charAt(0).toUpperCase() + first.slice(1), ...rest];
}

function checkCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) {
    if (Number.isInteger(count) && count >= 1) continue;
    const fault = { op: "summarize", rule: `${name} must be an integer ≥ 1`, got: count };
    throw new OptionError("OPTION", { ...fault, remedy: "choose another one" });
  }
}

/** Loads a model folder. @throws FileError MISSING, DataError DAMAGED, MISMATCH, FORMAT */
export async function loadSummarizer(dir: string): Promise<Summarizer> {
  await useHeedBackend();
  return new Summarizer(readModelFolder(dir));
}
