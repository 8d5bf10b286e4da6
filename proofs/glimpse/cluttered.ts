import * as tf from "@tensorflow/tfjs-core";
import type { RandomStream } from "../../src/core/random.ts";
import { CLASSES, GLYPH, type GlyphBatch, INK } from "./glyphs.ts";

/** Sides of an image, of a glyph in it, twice its size, and of a piece of clutter; pieces in an image. */
export const [FIELD, DRAWN, PIECE, PIECES] = [32, 2 * GLYPH, 6, 4];

/**
 * Images of one glyph each, anywhere, among pieces cut out of others, as cluttered MNIST has them (Mnih et al. 2014, §4.1,
 * arxiv.org/abs/1406.6247).
 */
export function clutteredBatch(random: RandomStream, N: number): GlyphBatch {
  const pixels = new Float32Array(N * FIELD * FIELD);
  const classes = new Int32Array(N);
  /** Rows and columns of a glyph from (top, left) on, as many as `side`, put anywhere. */
  const put = (n: number, kind: number, side: number) => {
    const [top, left] = [random.integer(DRAWN - side + 1), random.integer(DRAWN - side + 1)];
    const [y, x] = [random.integer(FIELD - side + 1), random.integer(FIELD - side + 1)];
    for (let i = 0; i < side; i++)
      for (let j = 0; j < side; j++)
        if (INK[kind]![(top + i) >> 1]![(left + j) >> 1]) pixels[(n * FIELD + y + i) * FIELD + x + j] = 1;
  };
  for (let n = 0; n < N; n++) {
    for (let piece = 0; piece < PIECES; piece++) put(n, random.integer(CLASSES), PIECE);
    classes[n] = random.integer(CLASSES);
    put(n, classes[n]!, DRAWN);
  }
  return { images: tf.tensor4d(pixels, [N, FIELD, FIELD, 1]), classes };
}
