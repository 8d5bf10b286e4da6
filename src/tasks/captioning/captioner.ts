import { OptionError, ShapeError } from "../../core/errors.ts";
import type { Hypothesis } from "../../models/seq2seq/beam.ts";
import { captionSearch } from "../../models/show-attend-and-tell/search.ts";
import { SCENE_SIDE } from "../scenes/compose.ts";
import type { WordVocabulary } from "../words.ts";
import type { CaptionModel } from "./caption-model.ts";
import type { DraftCard } from "./card.ts";
import type { CaptionerModel } from "./read.ts";

export interface CaptionOptions {
  /** Captions kept at each word; 1 is greedy. @default the card's */
  beam?: number;
  /** The most words of a caption. @default the card's */
  maxLength?: number;
}

/** One caption, and where each of its words looked. */
export interface Caption {
  caption: string;
  words: string[];
  /** The map of each word over the cells of the grid, [words][rows·columns]; each sums to 1. */
  weights: Float32Array[];
  /** β of each word: how much of what it read was used. */
  gates: number[];
  /** Of the whole caption, by the model. */
  probability: number;
}

const OP = "Captioner.caption";
const BATCH_SCENES = 50;
const SCENE_SIZE = SCENE_SIDE ** 2;

/**
 * Captions scenes with a trained Show, Attend and Tell, word by word, and shows where each word looked.
 *
 * @example
 * const captioner = await loadCaptioner();
 * const [{ words, weights }] = captioner.caption(new Uint8Array(64 * 64));
 * words.length === weights.length; // true
 * captioner.dispose();
 */
export class Captioner {
  readonly card: DraftCard;
  readonly #model: CaptionModel;
  readonly #vocabulary: WordVocabulary;

  constructor({ card, model, vocabulary }: CaptionerModel) {
    this.card = card;
    this.#model = model;
    this.#vocabulary = vocabulary;
  }

  /**
   * One caption a scene, in order.
   *
   * @param pixels [N, 64, 64], 0 (background) … 255
   * @throws ShapeError SHAPE · OptionError OPTION
   */
  caption(pixels: Uint8Array, options: CaptionOptions = {}): Caption[] {
    const { decoding } = this.card;
    const { beam = decoding.beam, maxLength = decoding.maxLength } = options;
    checkCounts({ beam, maxLength });
    checkPixels(pixels);
    const search = { beam, maxLength, lengthPenalty: decoding.lengthPenalty };
    const captions: Caption[] = [];
    for (let from = 0; from < pixels.length; from += BATCH_SCENES * SCENE_SIZE) {
      const annotations = this.#model.annotations(pixels.subarray(from, from + BATCH_SCENES * SCENE_SIZE));
      try {
        for (const [best] of captionSearch(this.#model.teller, annotations, search))
          captions.push(this.#read(best!));
      } finally {
        annotations.dispose();
      }
    }
    return captions;
  }

  dispose(): void {
    this.#model.dispose();
  }

  #read({ ids, weights, gate = [], logProbability }: Hypothesis): Caption {
    const words = ids.map((id) => this.#vocabulary.word(id, []));
    return { caption: words.join(" "), words, weights, gates: gate, probability: Math.exp(logProbability) };
  }
}

function checkPixels({ length }: Uint8Array): void {
  if (length > 0 && length % SCENE_SIZE === 0) return;
  const rule = `pixels must be whole scenes of ${SCENE_SIDE}·${SCENE_SIDE} pixels`;
  const remedy = "pass grey pictures as bytes, row by row";
  throw new ShapeError("SHAPE", { op: OP, rule, got: `${length} bytes`, remedy });
}

function checkCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) {
    if (Number.isInteger(count) && count >= 1) continue;
    const fault = { op: OP, rule: `${name} must be an integer ≥ 1`, got: count };
    throw new OptionError("OPTION", { ...fault, remedy: "choose another one" });
  }
}
