import * as tf from "@tensorflow/tfjs-core";
import type { RandomStream } from "../../src/core/random.ts";
import { padBatch } from "../../src/data/batching.ts";
import { maskPieces } from "../../src/data/masking.ts";
import type { SequenceInputs } from "../../src/models/transformer/index.ts";
import { CLS, drawPair, MASK, PAD, SEP, type Sentence, SPECIAL, VOCABULARY } from "./grammar.ts";

/** Sentences as BERT reads them: pieces, and how many of them are of the first segment. */
export interface Text {
  pieces: number[];
  first: number;
}

/** [CLS] a [SEP], or [CLS] a [SEP] b [SEP]. */
export function textOf(...sentences: readonly Pick<Sentence, "ids">[]): Text {
  const pieces = [CLS, ...sentences.flatMap(({ ids }) => [...ids, SEP])];
  return { pieces, first: 2 + sentences[0]!.ids.length };
}

/** A sentence whose verb is hidden. */
export function withoutVerb({ ids, verb }: Sentence): Text {
  return textOf({ ids: ids.map((id, n) => (n === verb ? MASK : id)) });
}

export function drawTexts(random: RandomStream, count: number, heldOut: boolean): Text[] {
  return Array.from({ length: count }, () => textOf(...drawPair(random, heldOut)));
}

const padded = (texts: readonly Text[]) =>
  padBatch(
    texts.map(({ pieces }) => pieces),
    PAD,
  );

const matrix = (ids: Int32Array, rows: number, width: number) => tf.tensor2d(ids, [rows, width], "int32");

/** What a model reads; `ids` instead of the texts' own pieces where some of them are hidden. */
export function inputsOf(texts: readonly Text[], ids?: Int32Array): SequenceInputs {
  const { rows, width, lengths, ids: own } = padded(texts);
  const types = own.map((_, n) => (n % width < texts[Math.floor(n / width)]!.first ? 0 : 1));
  return { tokens: matrix(ids ?? own, rows, width), types: matrix(types, rows, width), lengths };
}

/** Texts of which some words are hidden. */
export interface Hidden {
  inputs: SequenceInputs;
  /** Where words are asked for, counted row by row. */
  places: Int32Array;
  /** What stood there. */
  words: Int32Array;
}

/**
 * Hides 15 % of the words.
 *
 * @param shares of [MASK] and of random words among them
 */
export function hideWords(
  texts: readonly Text[],
  random: RandomStream,
  shares?: { masked: number; replaced: number },
): Hidden {
  const options = { random, vocabulary: VOCABULARY.length, mask: MASK, special: SPECIAL, ...shares };
  const { ids, labels } = maskPieces(padded(texts).ids, options);
  const places = Int32Array.from(labels.keys()).filter((at) => labels[at]! >= 0);
  return { inputs: inputsOf(texts, ids), places, words: places.map((at) => labels[at]!) };
}
