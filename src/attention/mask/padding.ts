import * as tf from "@tensorflow/tfjs-core";
import { compileProgram } from "../../core/program.ts";
import { allowTensor } from "../../ops/attention/mask.ts";

/**
 * Padding mask: the keys that are really there.
 *
 *     allow(b, j) = j < lengths_b
 *
 * 1. `true` means attend (PyTorch's `key_padding_mask` is the opposite). 2. An example of length 0 gives rows
 * without a visible key, which are 0 in every mechanism of heed. 3. Padding stands after the keys; queries play no
 * part, so nothing has to be aligned. 4. A length of n shows the first n keys.
 *
 *     lengths = [1, 4, 0, 3], S = 4
 *     1 0 0 0
 *     1 1 1 1
 *     0 0 0 0
 *     1 1 1 0
 *
 * Shapes: lengths [B] → bool [B, 1, S], the same for every query. Cost: O(B·S).
 *
 * @throws OptionError OPTION
 * @draws
 * return paddingMask([3, 12, 0, 7, 9, 1], 12);
 * @example
 * paddingMask([1, 4], 4);
 */
export function paddingMask(lengths: ArrayLike<number>, S: number): tf.Tensor3D {
  return tf.tidy(() => {
    const B = lengths.length;
    const shapes = { B, T: 1, S, H: 1, Hkv: 1, D: 1, Dv: 1 };
    const program = compileProgram<tf.Tensor>("paddingMask", shapes, { keyLengths: lengths });
    return tf.reshape(allowTensor(program)!, [B, 1, S]);
  });
}
