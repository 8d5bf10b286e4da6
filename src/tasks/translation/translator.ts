import { fileURLToPath } from "node:url";
import { OptionError } from "../../core/errors.ts";
import { padBatch } from "../../data/batching.ts";
import { type Bpe, SPACE_MARK, UNKNOWN } from "../../data/bpe.ts";
import { normalizeText } from "../../data/text.ts";
import { words } from "../../data/words.ts";
import { useHeedBackend } from "../../host/select.ts";
import type { Hypothesis } from "../../models/seq2seq/beam.ts";
import { beamSearch } from "../../models/seq2seq/search.ts";
import type { Seq2Seq } from "../../models/seq2seq/seq2seq.ts";
import { blockDiagonal, mergeWeights } from "./alignment.ts";
import type { DraftCard } from "./card.ts";
import { isShouted, sentenceCase } from "./casing.ts";
import { readModelFolder, type TranslationModel } from "./files.ts";
import { splitLine } from "./segments.ts";

/** A translated line, with what each of its words looked at. */
export interface Translation {
  source: string;
  target: string;
  /** Words and punctuation of the source, in order. */
  sourceTokens: string[];
  /** Words and punctuation of the translation. */
  targetTokens: string[];
  /** weights[i][j]: how much target token i looked at source token j; rows sum to 1. */
  weights: number[][];
  /** Log-probability of the translation over its length penalty, in nats; parts of a long line are averaged. */
  score: number;
  /** The next best translations, all different, best first, when `nBest` asked for them. */
  alternatives?: Translation[];
}

export interface TranslateOptions {
  /** Hypotheses kept at each step; 1 is greedy. The card's beam by default. */
  beam?: number;
  /** Translations returned for each line, at most `beam`. @default 1 */
  nBest?: number;
  /** Longest translation of one part of a line, in pieces. @default 2·source + 10 */
  maxLength?: number;
  /** Parts of lines translated at once. @default 32 */
  batchSize?: number;
  /** Return what each word looked at; without, `weights` is empty and a long line costs less. @default true */
  weights?: boolean;
}

/** @throws OptionError OPTION */
function checkOptions(options: TranslateOptions, decoding: { beam: number }): void {
  const beam = options.beam ?? decoding.beam;
  const must = (name: string, got: number | undefined, rule: string, most = Number.POSITIVE_INFINITY) => {
    if (got === undefined || (Number.isInteger(got) && got >= 1 && got <= most)) return;
    const fault = { op: "translate", rule: `${name} must be ${rule}`, got, remedy: "correct it" };
    throw new OptionError("OPTION", { ...fault, name });
  };
  must("beam", options.beam, "a whole number from 1");
  must("maxLength", options.maxLength, "a whole number from 1");
  must("batchSize", options.batchSize, "a whole number from 1");
  must("nBest", options.nBest, `a whole number from 1 to the beam, ${beam}`, beam);
}

/** The model that ships with heed. */
export const DEFAULT_MODEL = fileURLToPath(new URL("../../../weights/translation-en-fr", import.meta.url));

const BATCH_SIZE = 32;

/** One part of a line, as the model reads it. */
interface Part {
  line: number;
  ids: number[];
  pieces: string[];
  shouted: boolean;
  /** A word longer than any training sentence: an address, a number, a key that was held down. */
  copied?: string;
}

/**
 * Translates text with a trained model.
 *
 * @example
 * const translator = await loadTranslator(DEFAULT_MODEL);
 * const [{ target }] = translator.translate(["Where is the station?"]);
 * target; // "Où est la gare ?"
 * translator.dispose();
 */
export class Translator {
  readonly card: DraftCard;
  readonly #model: Seq2Seq;
  readonly #source: Bpe;
  readonly #target: Bpe;

  constructor({ card, model, source, target }: TranslationModel) {
    this.card = card;
    this.#model = model;
    this.#source = source;
    this.#target = target;
  }

  /**
   * Translates lines; the result has one entry a line, in order. A blank line gives an empty translation; a word longer
   * than any sentence the model knows is copied as it is.
   *
   * @throws OptionError OPTION
   */
  translate(lines: readonly string[], options: TranslateOptions = {}): Translation[] {
    checkOptions(options, this.card.decoding);
    const parts = lines.flatMap((line, index) => this.#parts(line, index));
    const order = parts
      .map((_, i) => i)
      .filter((i) => parts[i].copied === undefined)
      .sort((a, b) => parts[a].ids.length - parts[b].ids.length);
    const found: Hypothesis[][] = [];
    const size = options.batchSize ?? BATCH_SIZE;
    for (let first = 0; first < order.length; first += size) {
      const batch = order.slice(first, first + size);
      const results = this.#search(
        batch.map((i) => parts[i].ids),
        options,
      );
      for (const [k, i] of batch.entries()) found[i] = results[k];
    }
    const byLine: number[][] = lines.map(() => []);
    for (const [i, { line }] of parts.entries()) byLine[line].push(i);
    return lines.map((line, index) => {
      const nth = (n: number) =>
        this.#assemble(
          line,
          byLine[index].map((i) => ({
            part: parts[i],
            hypothesis: found[i]?.[Math.min(n, found[i].length - 1)],
          })),
          options.weights ?? true,
        );
      const first = nth(0);
      const { nBest = 1 } = options;
      if (nBest === 1) return first;
      // Several spellings in pieces can be one text: it counts once.
      const texts = new Map([[first.target, first]]);
      const most = Math.max(0, ...byLine[index].map((i) => found[i]?.length ?? 1));
      for (let n = 1; n < most && texts.size < nBest; n++) {
        const other = nth(n);
        if (!texts.has(other.target)) texts.set(other.target, other);
      }
      return { ...first, alternatives: [...texts.values()].slice(1) };
    });
  }

  dispose(): void {
    this.#model.dispose();
  }

  #search(sources: number[][], { beam, maxLength }: TranslateOptions): Hypothesis[][] {
    const { decoding } = this.card;
    const { lengthPenalty } = decoding;
    return beamSearch(this.#model, padBatch(sources), {
      beam: beam ?? decoding.beam,
      lengthPenalty,
      ...(maxLength ? { maxLength } : {}),
    });
  }

  #parts(line: string, index: number): Part[] {
    const text = normalizeText(line);
    if (text === "") return [];
    const { maxPieces } = this.card.decoding;
    const asRead = (part: string) => (isShouted(part) ? sentenceCase(part) : part);
    const short = (part: string) => this.#source.encode(asRead(part)).length <= maxPieces;
    return splitLine(text, short).map((part) => {
      const { ids, pieces } = this.#source.encodePieces(asRead(part));
      // What is still too long is a single word.
      return ids.length > maxPieces
        ? { line: index, ids: [], pieces: [], shouted: false, copied: part }
        : { line: index, ids, pieces, shouted: isShouted(part) };
    });
  }

  #assemble(
    source: string,
    parts: { part: Part; hypothesis: Hypothesis | undefined }[],
    withWeights: boolean,
  ): Translation {
    const sourceTokens: string[] = [];
    const targetTokens: string[] = [];
    const texts: string[] = [];
    const blocks: number[][][] = [];
    const columns: number[] = [];
    const scores: number[] = [];
    for (const { part, hypothesis } of parts) {
      if (!hypothesis) {
        const word = part.copied!;
        sourceTokens.push(word);
        targetTokens.push(word);
        texts.push(word);
        blocks.push([[1]]);
        columns.push(1);
        continue;
      }
      scores.push(hypothesis.score);
      const pieces = this.#surfaces(part, hypothesis);
      const sourceSpans = words(part.pieces);
      const targetSpans = words(pieces);
      const say = (text: string) => (part.shouted ? text.toLocaleUpperCase(this.card.to) : text);
      const token = (from: string[], [start, end]: readonly [number, number]) =>
        say(textOf(from.slice(start, end)));
      sourceTokens.push(...sourceSpans.map((span) => token(part.pieces, span)));
      targetTokens.push(...targetSpans.map((span) => token(pieces, span)));
      texts.push(say(textOf(pieces)));
      if (withWeights) blocks.push(mergeWeights(hypothesis.weights, targetSpans, sourceSpans));
      columns.push(sourceSpans.length);
    }
    const score = scores.reduce((sum, one) => sum + one, 0) / Math.max(1, scores.length);
    const weights = withWeights ? blockDiagonal(blocks, columns) : [];
    return { source, target: texts.join(" "), sourceTokens, targetTokens, weights, score };
  }

  /** The pieces of a translation; an unknown one is copied from where it looked most. */
  #surfaces(part: Part, { ids, weights }: Hypothesis): string[] {
    return ids.map((id, t) => {
      if (id !== UNKNOWN) return this.#target.piece(id);
      const row = weights[t];
      let best = 0;
      for (let s = 1; s < part.pieces.length; s++) if (row[s] > row[best]) best = s;
      return part.pieces[best];
    });
  }
}

/** Pieces as text. */
function textOf(pieces: string[]): string {
  return pieces.join("").replaceAll(SPACE_MARK, " ").trim();
}

/** Loads a model folder. @throws FileError MISSING, DataError DAMAGED, MISMATCH, FORMAT, UNSUPPORTED */
export async function loadTranslator(dir: string = DEFAULT_MODEL): Promise<Translator> {
  await useHeedBackend();
  return new Translator(readModelFolder(dir));
}
