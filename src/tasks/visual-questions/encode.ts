import * as tf from "@tensorflow/tfjs-core";
import type { AskedQuestions } from "../../models/co-attention-transformer.ts";
import type { GridSize } from "../scenes/cells.ts";
import type { AskedPicture, PictureQuestion } from "./corpus.ts";
import type { QuestionVocabulary } from "./words.ts";

/** The grid halves rows and columns three times. */
const STRIDE = 8;

/** Rows and columns of the grid over a picture. */
export const gridOf = ({ height, width }: { readonly height: number; readonly width: number }): GridSize => [
  Math.ceil(height / STRIDE),
  Math.ceil(width / STRIDE),
];

/** Pixels [B, height, width], 0 … 255, as a tensor [B, height, width, 1] from 0 to 1. */
export function pictureTensor(
  pixels: Uint8Array,
  { height, width }: { readonly height: number; readonly width: number },
): tf.Tensor4D {
  const values = Float32Array.from(pixels, (value) => value / 255);
  return tf.tensor4d(values, [pixels.length / (height * width), height, width, 1]);
}

/** Pictures and their questions as a model reads them. */
export interface EncodedBatch {
  /** [B, height, width] */
  readonly pixels: Uint8Array;
  /** Of all pictures, one after another. */
  readonly questions: Required<AskedQuestions>;
  readonly asked: readonly PictureQuestion[];
}

export function encodeBatch(
  pictures: readonly AskedPicture[],
  vocabulary: QuestionVocabulary,
  positions: number,
): EncodedBatch {
  const size = pictures[0]?.pixels.length ?? 0;
  const pixels = new Uint8Array(pictures.length * size);
  for (const [n, picture] of pictures.entries()) pixels.set(picture.pixels, n * size);
  const asked = pictures.flatMap(({ questions }) => questions);
  const ofPicture = pictures.flatMap(({ questions }, n) => questions.map(() => n));
  const texts = asked.map(({ question }) => question);
  const questions = { ...vocabulary.encode(texts, positions), pictures: Int32Array.from(ofPicture) };
  return { pixels, questions, asked };
}
