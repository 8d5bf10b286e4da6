import * as tf from "@tensorflow/tfjs-core";
import { checkCount } from "../../core/check-options.ts";

/**
 * Position encoding of a memory network: a sentence is the sum of its words, each weighted by where it stands.
 *
 *     sentence_k = Σ_j l_kj x_kj,    l_kj = (1 − j/J) − (k/C)(1 − 2j/J),    j = 1 … J,  k = 1 … C
 *
 * Symbols: x_j the embedding of word j, J words, C the width. Shapes: → l [J, C], to be multiplied with embeddings
 * [..., J, C] and summed over the words.
 * Conventions: a plain sum would not know "the cat saw the dog" from "the dog saw the cat". J is the same for all sentences,
 * that of the longest, as in the authors' code; what pads a sentence must have the embedding 0. No parameters.
 * Cost: O(J·C). Paper: Sukhbaatar, Szlam, Weston & Fergus 2015, §4.1, arxiv.org/abs/1503.08895.
 *
 * @throws OptionError OPTION
 * @draws
 * return sentencePositions(16, 24);
 * @example
 * sentencePositions(2, 4); // [[0.5, 0.5, 0.5, 0.5], [0.25, 0.5, 0.75, 1]]
 */
export function sentencePositions(J: number, C: number): tf.Tensor2D {
  const op = "sentencePositions";
  checkCount(op, "J", J);
  checkCount(op, "C", C);
  const table = Float32Array.from({ length: J * C }, (_, e) => {
    const [j, k] = [Math.floor(e / C) + 1, (e % C) + 1];
    return 1 - j / J - (k / C) * (1 - (2 * j) / J);
  });
  return tf.tensor2d(table, [J, C]);
}
