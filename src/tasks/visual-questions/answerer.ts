import * as tf from "@tensorflow/tfjs-core";
import { DataError, OptionError } from "../../core/errors.ts";
import { greyRectangle } from "../../data/pictures/grey-picture.ts";
import type { RgbaPicture } from "../../data/pictures/rgba-picture.ts";
import type { CoAttentionTransformer } from "../../models/co-attention-transformer.ts";
import { tidyData } from "../../ops/tidy.ts";
import { checkText } from "../check-texts.ts";
import type { GridSize } from "../scenes/cells.ts";
import type { DraftCard } from "./card.ts";
import type { AskedPicture, QuestionCorpus } from "./corpus.ts";
import { encodeBatch, gridOf, pictureTensor } from "./encode.ts";
import type { QuestionModel } from "./read.ts";
import type { QuestionVocabulary } from "./words.ts";

/** What one question and its picture looked at in each other in one layer, T the positions of words, padding included. */
export interface LayerWeights {
  readonly heads: number;
  readonly T: number;
  /** Words over cells, [heads, T, S]. */
  readonly words: Float32Array;
  /** Cells over words, [heads, S, T]; not of the last layer. */
  readonly cells?: Float32Array;
}

/** The answer to one question about one picture, and what its words looked at. */
export interface AnsweredQuestion {
  readonly answer: string;
  /** The share of the answer among all. */
  readonly probability: number;
  /** Of every answer, the likeliest first. */
  readonly answers: readonly { readonly answer: string; readonly probability: number }[];
  /** The words that were read. */
  readonly words: readonly string[];
  /** Words of the question that the model does not know; they were left out. */
  readonly unknown: readonly string[];
  readonly grid: GridSize;
  /** What each word looked at in the first layer, a mean over heads: [words][rows·columns]. */
  readonly maps: readonly Float32Array[];
  /** The same of the mark before the question in the last layer, from which the answer is read: [rows·columns]. */
  readonly answerMap: Float32Array;
  /** Of each layer. */
  readonly layers: readonly LayerWeights[];
}

const OP = "QuestionAnswerer";
const BATCH_PICTURES = 32;

/**
 * Answers questions about grey pictures by co-attention between words and the cells of the picture.
 *
 * @example
 * const answerer = await loadAnswerer();
 * const { answer, maps } = answerer.answer("What is left of the bag?", exampleScene(1).pixels);
 * answer; // "boot"
 * maps.length; // 6
 * answerer.dispose();
 */
export class QuestionAnswerer {
  readonly card: DraftCard;
  readonly vocabulary: QuestionVocabulary;
  readonly #model: CoAttentionTransformer;

  constructor({ card, model, vocabulary }: QuestionModel) {
    this.card = card;
    this.vocabulary = vocabulary;
    this.#model = model;
  }

  /**
   * A picture that somebody brings as this model reads pictures: grey, of its size; on black where it learnt from scenes.
   */
  pixelsOf(picture: RgbaPicture): Uint8Array {
    const { height, width } = this.card.image;
    const background = this.card.source === "scenes" ? 0 : undefined;
    return greyRectangle(picture, { height, width, background }).pixels;
  }

  /**
   * Refuses a question that the model cannot read: without a word that it knows, too long, or one about a scene that names
   * none of the items.
   *
   * @throws OptionError OPTION, UNKNOWN, LIMIT
   */
  check(question: string): void {
    checkText(OP, "question", question);
    const { nouns, labels } = this.card;
    const { known, unknown } = this.vocabulary.sort(question);
    const most = this.#model.config.positions - 1;
    const fault = { op: OP, got: JSON.stringify(question) };
    if (known.length > most) {
      const rule = `a question must have at most ${most} words`;
      throw new OptionError("LIMIT", { ...fault, rule, remedy: "ask for less at once" });
    }
    const isNamed = nouns.length === 0 || known.some((word) => nouns.includes(word) || word === "picture");
    if (known.length > 0 && isNamed) return;
    const rule =
      nouns.length === 0
        ? "a question must have a word that the model knows"
        : `a question must name one of the items that the model knows, ${labels.join(", ")}`;
    const remedy = unknown.length > 0 ? `it does not know ${unknown.join(", ")}` : "ask about one of them";
    throw new OptionError("UNKNOWN", { ...fault, rule, remedy });
  }

  /**
   * Checks that the model can be scored on a corpus.
   *
   * @throws DataError MISMATCH for pictures of another size, or answers that are none of the model's
   */
  checkCorpus({ height, width, answers }: QuestionCorpus): void {
    const { image, answers: own } = this.card;
    const refuse = (rule: string, got: string) => {
      const remedy = "take the data set of the model";
      throw new DataError("MISMATCH", { op: OP, rule, got, remedy });
    };
    if (height !== image.height || width !== image.width)
      refuse(`pictures must be ${image.height} × ${image.width}, as the model's`, `${height} × ${width}`);
    const other = answers.find((answer) => !own.includes(answer));
    if (other !== undefined) refuse(`answers must be among the model's ${own.length}`, JSON.stringify(other));
  }

  /**
   * The answer to a question about one picture. Words that the model does not know are left out, and named in `unknown`.
   *
   * @param pixels [height, width] of the card's image, 0 … 255; `pixelsOf` makes them of any picture
   * @throws OptionError UNKNOWN, LIMIT, OPTION
   */
  answer(question: string, pixels: Uint8Array): AnsweredQuestion {
    return this.answerEach(question, [pixels])[0]!;
  }

  /** The answers to one question about each of these pictures, in order. @throws OptionError UNKNOWN, LIMIT, OPTION */
  answerEach(question: string, pictures: readonly Uint8Array[]): AnsweredQuestion[] {
    this.check(question);
    const { height, width } = this.card.image;
    const other = pictures.find(({ length }) => length !== height * width);
    if (other) {
      const fault = { op: OP, rule: `pixels must be ${height}·${width} bytes`, got: other.length };
      throw new OptionError("OPTION", { ...fault, remedy: "make them with pixelsOf" });
    }
    const asked = { question, answer: "", kind: "row", named: [] } as const;
    return this.answerAll(pictures.map((pixels) => ({ pixels, questions: [asked] })));
  }

  /** The answers to all questions about these pictures, one picture after another, without a check. */
  answerAll(pictures: readonly AskedPicture[]): AnsweredQuestion[] {
    const answered: AnsweredQuestion[] = [];
    for (let from = 0; from < pictures.length; from += BATCH_PICTURES)
      answered.push(...this.#answerBatch(pictures.slice(from, from + BATCH_PICTURES)));
    return answered;
  }

  dispose(): void {
    this.#model.dispose();
  }

  #answerBatch(pictures: readonly AskedPicture[]): AnsweredQuestion[] {
    const { answers, image } = this.card;
    const { positions: T, heads: H } = this.#model.config;
    const { pixels, questions, asked } = encodeBatch(pictures, this.vocabulary, T);
    const grid = gridOf(image);
    const S = grid[0] * grid[1];
    const { chances, layers } = tidyData(() => {
      const { logits, attention } = this.#model.forward(pictureTensor(pixels, image), questions, {
        attention: true,
      });
      return {
        chances: tf.softmax(logits).dataSync<"float32">(),
        layers: attention.map(({ words, cells }) => ({
          words: words.dataSync<"float32">(),
          ...(cells && { cells: cells.dataSync<"float32">() }),
        })),
      };
    });
    const size = H * T * S;
    return asked.map(({ question }, n) => {
      const { known, unknown } = this.vocabulary.sort(question);
      const words = known.slice(0, T - 1);
      const own = layers.map((layer) => ({
        ...{ heads: H, T },
        words: layer.words.slice(n * size, (n + 1) * size),
        ...(layer.cells && { cells: layer.cells.slice(n * size, (n + 1) * size) }),
      }));
      const all = answers
        .map((answer, a) => ({ answer, probability: chances[n * answers.length + a]! }))
        .sort((a, b) => b.probability - a.probability);
      const map = (layer: number, word: number) => meanOverHeads(own[layer]!.words, { H, T, S }, word);
      return {
        ...all[0]!,
        answers: all,
        words,
        unknown,
        grid,
        maps: words.map((_, word) => map(0, word + 1)),
        answerMap: map(own.length - 1, 0),
        layers: own,
      };
    });
  }
}

function meanOverHeads(
  weights: Float32Array,
  { H, T, S }: { H: number; T: number; S: number },
  t: number,
): Float32Array {
  const mean = new Float32Array(S);
  for (let h = 0; h < H; h++) for (let s = 0; s < S; s++) mean[s]! += weights[(h * T + t) * S + s]! / H;
  return mean;
}
