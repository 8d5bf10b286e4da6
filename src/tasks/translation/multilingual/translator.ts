import { SPACE_MARK } from "../../../data/bpe.ts";
import { words } from "../../../data/words.ts";
import type { Hypothesis } from "../../../models/seq2seq/beam.ts";
import type { Transformer } from "../../../models/transformer/transformer.ts";
import { byLength } from "../../by-length.ts";
import { checkTexts } from "../../check-texts.ts";
import { blockDiagonal, mergeWeights } from "../alignment.ts";
import { differentOnes } from "../alternatives.ts";
import { splitLine } from "../segments.ts";
import { detectForeign } from "../text/detect-language.ts";
import type { TargetLanguage } from "../text/language.ts";
import { finishPart, joinLine, type PreparedLine, type PreparedPart, prepareLine } from "../text/pipeline.ts";
import type { Restored } from "../text/protect.ts";
import {
  type CopiedValue,
  checkTranslateOptions,
  type Doubt,
  type TranslateOptions,
  type Translation,
} from "../translation.ts";
import type { MultilingualCard } from "./card.ts";
import { confidenceOf, features } from "./confidence.ts";
import { alignments, decode } from "./decode.ts";
import type { Lexicon } from "./lexicon.ts";
import { comeFrom, textOf, tokensOf } from "./words.ts";

/** A model and what it needs to read and write text. */
export interface MultilingualModel extends Lexicon {
  model: Transformer;
  card: MultilingualCard;
}

/** Parts of lines translated at once; 64 took a fifth less time for each than 32. */
const BATCH_SIZE = 64;

/** Below it a translation is said to be doubtful. */
const LEAST_CONFIDENCE = 0.5;

/** One part of a line on its way through the model. */
interface Part extends PreparedPart {
  ids: number[];
  /** The pieces of `ids`, a value as it was typed. */
  surfaces: string[];
  /** A text without spaces that is longer than the model reads: an address, a key that was held down. */
  tooLong: boolean;
  found: Hypothesis[];
}

interface Line extends PreparedLine {
  readonly parts: readonly Part[];
}

/** A part in its translation. */
interface FinishedPart {
  part: Part;
  hypothesis: Hypothesis | undefined;
  restored: Restored;
  confidence: number | undefined;
}

/**
 * Translates English into one of the languages of a model. Values, names and what the model has not seen go through as
 * placeholders, and every translation has them; a line is cut into sentences, and keeps its spaces.
 */
export class MultilingualTranslator {
  readonly card: MultilingualCard & { to: TargetLanguage };
  readonly #given: MultilingualModel;
  readonly #to: TargetLanguage;

  constructor(given: MultilingualModel, to: TargetLanguage) {
    this.#given = given;
    this.#to = to;
    this.card = { ...given.card, to };
  }

  /**
   * Translates lines; the result has one entry a line, in order. A blank line gives an empty translation.
   *
   * @throws OptionError OPTION
   */
  translate(lines: readonly string[], options: TranslateOptions = {}): Translation[] {
    const { nBest = 1, weights = true } = options;
    const found = this.#search(lines, options);
    return lines.map((source, index) => {
      const line = found[index]!;
      const most = Math.max(0, ...line.parts.map((part) => part.found.length));
      const nth = (n: number) => this.#assemble(source, line, n, weights);
      const [first, ...alternatives] = differentOnes(nBest, most, nth);
      return nBest === 1 ? first : { ...first, alternatives };
    });
  }

  /**
   * What confidence is made of, for lines of one sentence: their translations, and the features of each. Undefined for
   * other lines.
   *
   * @throws OptionError OPTION
   */
  evidence(
    lines: readonly string[],
    options: TranslateOptions = {},
  ): ({ target: string; features: number[] } | undefined)[] {
    return this.#search(lines, options).map((line) => {
      const [part, ...others] = line.parts;
      const [best, next] = part?.found ?? [];
      if (!(best && others.length === 0)) return undefined;
      return { target: joinLine(line, [this.#finish(part!, 0).restored]), features: features(best, next) };
    });
  }

  dispose(): void {
    this.#given.model.dispose();
  }

  #search(lines: readonly string[], options: TranslateOptions): Line[] {
    checkTexts("translate", lines);
    const { decoding } = this.card;
    checkTranslateOptions(options, decoding);
    const { beam = decoding.beam, batchSize = BATCH_SIZE, maxLength } = options;
    const { model, pieces } = this.#given;
    const prepared = lines.map((line) => this.#prepare(line));
    const read = prepared.flatMap(({ parts }) => parts.filter(({ copied, tooLong }) => !(copied || tooLong)));
    const search = { beam, lengthPenalty: decoding.lengthPenalty, ...(maxLength && { maxLength }) };
    const found = byLength(
      read.map(({ ids }) => ids),
      batchSize,
      (sources) => decode(model, pieces, this.#to, sources, search),
    );
    for (const [i, part] of read.entries()) part.found = found[i]!;
    return prepared;
  }

  #prepare(line: string): Line {
    const { words: vocabulary, pieces } = this.#given;
    const { maxPieces } = this.card.decoding;
    const encode = (text: string) => pieces.encodeSource(text, this.#to);
    const fits = (text: string) => encode(text).ids.length <= maxPieces;
    const prepared = prepareLine(line, { vocabulary, cut: splitLine, fits });
    const parts = prepared.parts.map((part) => {
      const { ids, pieces: surfaces } = part.copied ? { ids: [], pieces: [] } : encode(part.text);
      const tooLong = ids.length > maxPieces;
      return { ...part, ids, surfaces: typedSurfaces(surfaces, part), tooLong, found: [] };
    });
    return { ...prepared, parts };
  }

  #finish(part: Part, n: number): FinishedPart {
    const hypothesis = part.found[Math.min(n, part.found.length - 1)];
    const written = hypothesis ? this.#given.pieces.bpe.decode(hypothesis.ids) : part.text;
    const restored = finishPart(hypothesis ? part : { ...part, copied: true }, written, this.#to);
    const { confidence: calibration } = this.card;
    const next = n === 0 ? part.found[1] : part.found[0];
    const confidence = hypothesis && calibration && confidenceOf(calibration, features(hypothesis, next));
    return { part, hypothesis, restored, confidence };
  }

  #assemble(source: string, line: Line, n: number, withWeights: boolean): Translation {
    const parts = line.parts.map((part) => this.#finish(part, n));
    const target = joinLine(
      line,
      parts.map(({ restored }) => restored),
    );
    const blocks = parts.map((part) => this.#block(part, withWeights));
    const scores = parts.flatMap(({ hypothesis }) => hypothesis?.score ?? []);
    const confidences = parts.flatMap(({ confidence }) => confidence ?? []);
    const foreign: Doubt[] = detectForeign(source) ? ["not English"] : [];
    const doubts = [...foreign, ...new Set(parts.flatMap(doubtsOf))];
    const values = parts.flatMap(valuesOf);
    return {
      source,
      target,
      sourceTokens: blocks.flatMap((block) => block.sourceTokens),
      targetTokens: blocks.flatMap((block) => block.targetTokens),
      weights: withWeights
        ? blockDiagonal(
            blocks.map(({ weights }) => weights),
            blocks.map(({ sourceTokens }) => sourceTokens.length),
          )
        : [],
      score: scores.reduce((sum, one) => sum + one, 0) / Math.max(1, scores.length),
      // A line is as good as its worst part.
      ...(confidences.length > 0 && { confidence: Math.min(...confidences) }),
      ...(values.length > 0 && { values }),
      ...(line.notes.length > 0 && { notes: [...line.notes] }),
      ...(doubts.length > 0 && { doubts }),
    };
  }

  /** The words of a part on both sides, and what each looked at. */
  #block({ part, hypothesis, restored }: FinishedPart, withWeights: boolean) {
    const { text, links } = restored;
    if (!hypothesis) {
      const tokens = text === "" ? [] : [text];
      return { sourceTokens: tokens, targetTokens: tokens, weights: tokens.map(() => [1]) };
    }
    const { model, pieces } = this.#given;
    const shown = part.surfaces.slice(1);
    const sourceSpans = words(shown);
    const sourceTokens = sourceSpans.map(([start, end]) => textOf(shown.slice(start, end)));
    const finished = tokensOf(
      text,
      links.map(({ target }) => target),
    );
    const targetTokens = finished.map(({ token }) => token);
    if (!withWeights) return { sourceTokens, targetTokens, weights: [] };
    const written = hypothesis.ids.map((id) => pieces.bpe.piece(id));
    const isValue = (piece: string) => pieces.placeholders.has(pieces.bpe.id(piece)!);
    // A value looked where its placeholder did, whatever the space before it saw.
    const writtenSpans = words(written).map(([start, end]): [number, number] => {
      const at = written.findIndex((piece, t) => t >= start && t < end && isValue(piece));
      return at < 0 ? [start, end] : [at, at + 1];
    });
    const [rows] = alignments(model, [part.ids], [hypothesis.ids], this.card.alignment);
    const merged = mergeWeights(
      rows!.map((row) => withoutTag(row)),
      writtenSpans,
      sourceSpans,
    );
    const placeholders = written.filter(isValue);
    const from = comeFrom(
      finished.map(({ token, range }) => (range === undefined ? token : placeholders[range]!)),
      writtenSpans.map(([start, end]) => textOf(written.slice(start, end))),
    );
    return { sourceTokens, targetTokens, weights: from.map((k) => merged[k]!) };
  }
}

/** The pieces of a part with its values as they were typed. */
function typedSurfaces(surfaces: readonly string[], { typed, protected: { spans } }: PreparedPart): string[] {
  const waiting = [...spans];
  return surfaces.map((piece) => {
    const next = waiting[0];
    if (next?.placeholder !== piece) return piece;
    waiting.shift();
    return typed.slice(next.start, next.end).replaceAll(" ", SPACE_MARK);
  });
}

/** A row over the pieces of a text alone: what went to the tag of the language is shared out. */
function withoutTag(row: Float32Array): Float32Array {
  const rest = row.slice(1);
  const sum = rest.reduce((total, weight) => total + weight, 0);
  return sum > 0 ? rest.map((weight) => weight / sum) : rest.fill(1 / Math.max(1, rest.length));
}

function valuesOf({ part, restored }: FinishedPart): CopiedValue[] {
  return restored.links.map(({ kind, source, target }) => ({
    kind,
    source: part.typed.slice(...source),
    target: restored.text.slice(...target),
  }));
}

function doubtsOf({ hypothesis, restored, confidence }: FinishedPart): Doubt[] {
  if (!hypothesis) return [];
  const isLow = confidence !== undefined && confidence < LEAST_CONFIDENCE;
  return [
    ...(isLow ? (["low confidence"] as const) : []),
    ...(hypothesis.ended ? [] : (["cut off"] as const)),
    ...(restored.missing.length > 0 || restored.invented > 0 ? (["value missing"] as const) : []),
  ];
}
