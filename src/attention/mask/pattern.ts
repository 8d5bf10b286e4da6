import * as tf from "@tensorflow/tfjs-core";
import { checkCount } from "../../core/check-options.ts";

/** Whether query i may attend to key j. */
export type Pattern = (i: number, j: number) => boolean;

/**
 * A mask from any rule.
 *
 *     allow(i, j) = pattern(i, j)
 *
 * 1. `true` means attend. 2. A row without a visible key gives 0 in every mechanism of heed. 3. i and j count queries
 * and keys from 0; where T ≠ S the rule says which stand together. 4. A query sees itself where the rule says so.
 *
 *     (i, j) => j % 2 === 0
 *     1 0 1 0
 *     1 0 1 0
 *     1 0 1 0
 *     1 0 1 0
 *
 * Shapes: → bool [T, S].
 * Cost: O(T·S) calls.
 *
 * @throws OptionError OPTION
 * @draws
 * return patternMask(24, 24, (i, j) => (i ^ j) % 3 === 0 && j <= i);
 * @example
 * patternMask(2, 3, (i, j) => j <= i); // [[1, 0, 0], [1, 1, 0]]
 */
export function patternMask(T: number, S: number, pattern: Pattern): tf.Tensor2D {
  const op = "patternMask";
  checkCount(op, "T", T);
  checkCount(op, "S", S);
  const mask = new Uint8Array(T * S);
  for (let i = 0; i < T; i++) {
    for (let j = 0; j < S; j++) mask[i * S + j] = pattern(i, j) ? 1 : 0;
  }
  return tf.tensor2d(mask, [T, S], "bool");
}
