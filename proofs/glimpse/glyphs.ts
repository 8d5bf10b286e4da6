import * as tf from "@tensorflow/tfjs-core";
import type { RandomStream } from "../../src/core/random.ts";

/** Sides of an image and of a glyph, and the number of places that a glyph can have along one axis. */
export const [SIDE, GLYPH, PLACES] = [16, 5, 12];

const DRAWN = [
  ["#####", "..#..", "..#..", "..#..", "..#.."],
  ["#....", "#....", "#....", "#....", "#####"],
  ["#...#", ".#.#.", "..#..", ".#.#.", "#...#"],
  [".###.", "#...#", "#...#", "#...#", ".###."],
  ["#####", "#....", "####.", "#....", "#...."],
  ["#...#", "##..#", "#.#.#", "#..##", "#...#"],
];

export const CLASSES = DRAWN.length;

/** Ink of each class, rows of 0 and 1. */
export const INK = DRAWN.map((lines) => lines.map((line) => Array.from(line, (dot) => Number(dot === "#"))));

export interface GlyphBatch {
  /** [N, SIDE, SIDE, 1] */
  images: tf.Tensor4D;
  classes: Int32Array;
}

/** Images of one glyph each, anywhere, under noise of this deviation. */
export function glyphBatch(random: RandomStream, N: number, noise = 0.15): GlyphBatch {
  const pixels = random.fillNormal(new Float32Array(N * SIDE * SIDE), 0, noise);
  const classes = new Int32Array(N);
  for (let n = 0; n < N; n++) {
    const [y, x] = [random.integer(PLACES), random.integer(PLACES)];
    classes[n] = random.integer(CLASSES);
    INK[classes[n]!]!.forEach((row, i) => {
      row.forEach((ink, j) => {
        pixels[(n * SIDE + y + i) * SIDE + x + j]! += ink;
      });
    });
  }
  return { images: tf.tensor4d(pixels, [N, SIDE, SIDE, 1]), classes };
}
