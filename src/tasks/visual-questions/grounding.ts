import * as tf from "@tensorflow/tfjs-core";
import type { BoundingBox } from "../../models/set/bounding-boxes.ts";
import { type GridSize, massInside } from "../scenes/cells.ts";
import type { PictureQuestion } from "./corpus.ts";

/** Words of questions and the cells that their items lie in. */
export interface GroundedWords {
  /** [M, 2]: the question, and its word, the mark before a question counted. */
  readonly words: Int32Array;
  /** [M, S]: of each cell the share that lies inside the item's box. */
  readonly inside: Float32Array;
}

/** The mark before a question is its first word. */
const MARK = 1;
/** Keeps the logarithm of a mass of 0 finite. */
const LEAST_MASS = 1e-6;

export function groundedWords(asked: readonly PictureQuestion[], grid: GridSize): GroundedWords {
  const all = asked.flatMap(({ named }, n) => named.map(({ word, box }) => ({ n, word: word + MARK, box })));
  const S = grid[0] * grid[1];
  const inside = new Float32Array(all.length * S);
  for (const [m, { box }] of all.entries()) inside.set(sharesInside(box, grid), m * S);
  return { words: Int32Array.from(all.flatMap(({ n, word }) => [n, word])), inside };
}

/** Of each cell of a grid the share that a box covers, [rows·columns]. */
export function sharesInside(box: BoundingBox, grid: GridSize): Float32Array {
  const S = grid[0] * grid[1];
  const map = new Float32Array(S);
  return map.map((_, cell) => {
    map[cell] = 1;
    const share = massInside(map, grid, box);
    map[cell] = 0;
    return share;
  });
}

/**
 * −Σ log(mass of a word on its item), the mass a mean over heads: words learn where what they name lies.
 *
 *     mass_m = 1/H Σ_h Σ_s weights[n_m, h, t_m, s] · inside[m, s]
 *
 * @param weights of words over cells, [N, H, T, S]
 */
export function groundingLoss(weights: tf.Tensor4D, { words, inside }: GroundedWords): tf.Scalar {
  return tf.tidy(() => {
    const [, , , S] = weights.shape;
    const M = words.length / 2;
    const maps = tf.gatherND(tf.mean(weights, 1), tf.tensor2d(words, [M, 2], "int32"));
    const mass = tf.sum(tf.mul(maps, tf.tensor2d(inside, [M, S])), -1);
    return tf.neg<tf.Scalar>(tf.sum(tf.log(tf.add(mass, LEAST_MASS))));
  });
}
