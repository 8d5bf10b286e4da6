import * as tf from "@tensorflow/tfjs-core";

/**
 * The inverse of I + A for strictly lower triangular matrices A, by doubling the blocks that are inverted already:
 *
 *     T_1 = I,    T_2s = T_s − T_s (A ⊙ B_s) T_s
 *
 * Symbols: T_s the inverse of the diagonal blocks of size s, B_s the lower left quarters of the blocks of size 2s.
 * Shapes: A [M, L, L] → [M, L, L]. Cost: 2·⌈log₂ L⌉ products, as stable as forward substitution; the series
 * I − A + A² − … is not: where keys repeat, its terms grow to 2^L before they cancel.
 */
export function unitLowerInverse(a: tf.Tensor3D): tf.Tensor3D {
  const L = a.shape[1];
  const inverse = tf.customGrad((input, save) => {
    const value = tf.tidy(() => {
      let t: tf.Tensor = tf.sub(tf.eye(L), tf.mul(input as tf.Tensor, quarters(L, 1)));
      for (let s = 2; s < L; s *= 2) {
        const lower = tf.mul(input as tf.Tensor, quarters(L, s));
        t = tf.sub(t, tf.matMul(tf.matMul(t, lower), t));
      }
      return t;
    });
    (save as unknown as tf.GradSaveFunc)([value]);
    const gradFunc = (dy: tf.Tensor, [t]: tf.Tensor[]) =>
      tf.neg(tf.matMul(tf.matMul(t!, dy, true), t!, false, true));
    return { value, gradFunc: gradFunc as (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor };
  });
  return inverse(a) as tf.Tensor3D;
}

/** 1 where row and column are in the lower and the upper half of one block of size 2s. */
function quarters(L: number, s: number): tf.Tensor2D {
  const ones = Float32Array.from({ length: L * L }, (_, e) => {
    const [i, j] = [Math.floor(e / L / s), Math.floor((e % L) / s)];
    return i % 2 === 1 && j === i - 1 ? 1 : 0;
  });
  return tf.tensor2d(ones, [L, L]);
}
