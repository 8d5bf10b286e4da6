import { padBatch } from "../../data/batching.ts";
import { type Bpe, SPACE_MARK, UNKNOWN } from "../../data/bpe.ts";
import { normalizeText } from "../../data/text.ts";
import { words } from "../../data/words.ts";
import type { Hypothesis } from "../../models/seq2seq/beam.ts";
import { beamSearch } from "../../models/seq2seq/search.ts";
import type { Seq2Seq } from "../../models/seq2seq/seq2seq.ts";
import { byLength } from "../by-length.ts";
import { checkTexts } from "../check-texts.ts";
import { blockDiagonal, mergeWeights } from "./alignment.ts";
import { differentOnes } from "./alternatives.ts";
import type { DraftCard } from "./card.ts";
import { isShouted, sentenceCase } from "./casing.ts";
import type { TranslationModel } from "./read.ts";
import { splitLine } from "./segments.ts";
import { BATCH_SIZE, checkTranslateOptions, type TranslateOptions, type Translation } from "./translation.ts";

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
 * Translates text with a trained recurrent model.
 *
 * @example
 * const translator = await loadRecurrentTranslator(folder); // which `heed train translation` wrote
 * const [{ target }] = translator.translate(["Where is the station?"]);
 * target; // "Où est la gare ?"
 * translator.dispose();
 */
export class RecurrentTranslator {
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
    checkTexts("translate", lines);
    checkTranslateOptions(options, this.card.decoding);
    const parts = lines.flatMap((line, index) => this.#parts(line, index));
    const found: Hypothesis[][] = [];
    const read = parts.flatMap((part, i) => (part.copied === undefined ? [i] : []));
    const results = byLength(
      read.map((i) => parts[i].ids),
      options.batchSize ?? BATCH_SIZE,
      (batch) => this.#search(batch, options),
    );
    for (const [k, i] of read.entries()) found[i] = results[k];
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
      const { nBest = 1 } = options;
      const most = Math.max(0, ...byLine[index].map((i) => found[i]?.length ?? 1));
      const [first, ...alternatives] = differentOnes(nBest, most, nth);
      return nBest === 1 ? first : { ...first, alternatives };
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
