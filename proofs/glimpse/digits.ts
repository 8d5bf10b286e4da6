import * as tf from "@tensorflow/tfjs-core";
import type { RandomStream } from "../../src/core/random.ts";
import {
  type LabelledImages,
  locateImages,
  readImages,
  readTraining,
} from "../../src/data/labelled-images.ts";
import type { GlyphBatch } from "./glyphs.ts";

/** The name of the digits, which are fetched. */
export const DIGITS = "mnist";
/** Classes, and the side of a piece of clutter (Mnih et al. 2014, §4.1). */
export const [KINDS, PIECE] = [10, 8];

export interface DigitBatchOptions {
  /** Side of an image. */
  side: number;
  /** Pieces of clutter in an image. @default 0 */
  pieces?: number;
}

/** The digits of MNIST in three parts: no digit that is tested was trained on. */
export function readDigits(): Record<"train" | "valid" | "test", LabelledImages> {
  const folder = locateImages(DIGITS);
  return { ...readTraining(folder), test: readImages(folder, "test") };
}

/**
 * Images of one written digit each, anywhere on black: translated MNIST; with `pieces` among so many pieces of 8 × 8 pixels
 * that are cut out of other digits: cluttered translated MNIST (Mnih et al. 2014, §4.1, arxiv.org/abs/1406.6247).
 */
export function digitBatch(
  random: RandomStream,
  digits: LabelledImages,
  N: number,
  { side, pieces = 0 }: DigitBatchOptions,
): GlyphBatch {
  const { count, height: H, width: W, pixels } = digits;
  const light = new Float32Array(N * side * side);
  const classes = new Int32Array(N);
  /** Rows and columns of a digit from (top, left) on, put anywhere. Where they meet others the brighter pixel is seen. */
  const put = (n: number, digit: number, top: number, left: number, rows: number, columns: number) => {
    const [y, x] = [random.integer(side - rows + 1), random.integer(side - columns + 1)];
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        const at = (n * side + y + i) * side + x + j;
        const ink = pixels[(digit * H + top + i) * W + left + j]! / 255;
        light[at] = Math.max(light[at]!, ink);
      }
  };
  for (let n = 0; n < N; n++) {
    for (let piece = 0; piece < pieces; piece++) {
      const digit = random.integer(count);
      put(n, digit, random.integer(H - PIECE + 1), random.integer(W - PIECE + 1), PIECE, PIECE);
    }
    const digit = random.integer(count);
    classes[n] = digits.labels[digit]!;
    put(n, digit, 0, 0, H, W);
  }
  return { images: tf.tensor4d(light, [N, side, side, 1]), classes };
}
