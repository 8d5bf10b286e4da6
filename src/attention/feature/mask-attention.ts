import * as tf from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { unequal } from "../../core/faults.ts";

/**
 * Mask attention: attention as a mask a over features z, a multiplicative interaction.
 *
 *     a = f_φ(x),    z = f_θ(x),    g = a ⊙ z
 *
 * Symbols: x the input, f_φ and f_θ any networks, a ∈ [0, 1]^k (soft), g ∈ R^k the glimpse; any real a is accepted
 * (dynamic filters). Shapes: z and a [..., k], equal → g [..., k].
 * Conventions: a ≡ 1 is the identity bit for bit, a ≡ 0 gives 0. Differentiable in both.
 * Cost: O(k). Source: Kosiorek 2017, "Attention in Neural Networks and How to Use It"; dynamic filters: Jia et al.
 * 2016, arxiv.org/abs/1605.09673.
 *
 * @throws ShapeError DIMENSION when the shapes differ
 * @draws
 * const z = tf.tensor2d([Array.from({ length: 16 }, (_, c) => 1 + Math.sin(c))]);
 * const a = tf.sigmoid(tf.reshape(tf.linspace(-6, 6, 16), [1, 16]));
 * return tf.concat([z, a, maskAttention(z, a)]);
 * @example
 * const features = tf.tensor2d([[5, 6, 7]]);
 * maskAttention(features, tf.tensor2d([[1, 0.5, 0]])); // [[5, 3, 0]]
 */
export function maskAttention<T extends tf.Tensor>(z: T, a: tf.Tensor): T {
  if (z.rank !== a.rank || z.shape.some((n, axis) => n !== a.shape[axis])) {
    const names = { letter: "shape", a: "z", b: "a" };
    throw new ShapeError(
      "DIMENSION",
      unequal({ op: "maskAttention", ...names, aShape: z.shape, bShape: a.shape }),
    );
  }
  return tf.mul(a, z) as T;
}

/**
 * Hard mask attention: the features that the mask keeps, in their order.
 *
 *     g̃ = z[a] ∈ R^m,    m = Σ a ≤ k
 *
 * Symbols: a ∈ {0, 1}^k, one for all examples. Shapes: z [..., k], a [k] → [..., m].
 * Conventions: the gradient reaches z; none reaches a, since selecting has none (train a soft mask, or sample).
 * The mask is read from the device. Cost: O(k). Source: as `maskAttention`.
 *
 * @throws ShapeError DIMENSION when a does not have k entries · OptionError MASK when one is not 0 or 1
 * @draws
 * const a = tf.tensor1d([1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 0, 1]);
 * return a;
 * @example
 * hardMaskAttention(tf.tensor1d([5, 6, 7]), tf.tensor1d([1, 0, 1])); // [5, 7]
 */
export function hardMaskAttention(z: tf.Tensor, a: tf.Tensor1D): tf.Tensor {
  const op = "hardMaskAttention";
  if (a.rank !== 1 || a.shape[0] !== z.shape[z.rank - 1]) {
    const names = { letter: "k", a: "z [..., k]", b: "a [k]" };
    throw new ShapeError("DIMENSION", unequal({ op, ...names, aShape: z.shape, bShape: a.shape }));
  }
  const mask = a.dataSync();
  const wrong = mask.findIndex((value) => value !== 0 && value !== 1);
  if (wrong >= 0) {
    throw new OptionError("MASK", {
      op,
      rule: "a hard mask must hold 0 and 1 only",
      got: `${mask[wrong]!} at ${wrong}`,
      remedy: "use maskAttention for soft masks",
      index: wrong,
    });
  }
  const kept = Array.from(mask.keys()).filter((index) => mask[index] === 1);
  return tf.tidy(() => tf.gather(z, tf.tensor1d(kept, "int32"), z.rank - 1));
}
