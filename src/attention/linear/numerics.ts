import * as tf from "@tensorflow/tfjs-core";
import { linear } from "../../ops/linear.ts";

/** x with 0 where it is hidden, so that NaN there reaches nothing. */
export function hide<T extends tf.Tensor>(x: T, kept: tf.Tensor | undefined): T {
  return kept ? (tf.where(kept, x, 0) as T) : x;
}

/** Near where float32 loses its digits; what is divided by less is soon infinite. */
const LEAST = 1e-37;

/**
 * sums / total, of the same shape or with 1 along `axis`, and 0 where the total is, or as good as: nothing was added
 * there. Totals may be tiny, and TensorFlow.js' gradient of a quotient divides by their square, which float32 no longer
 * holds; this one divides twice.
 */
export function quotient<T extends tf.Tensor>(sums: T, total: tf.Tensor, axis?: number): T {
  const divide = tf.customGrad((...args) => {
    const [x, y] = args as tf.Tensor[];
    const divisor = tf.where(tf.less(tf.abs(y!), LEAST), Number.POSITIVE_INFINITY, y!);
    const value = tf.div(x!, divisor);
    (args[2] as unknown as tf.GradSaveFunc)([value, divisor]);
    const gradFunc = (dy: tf.Tensor, [kept, by]: tf.Tensor[]) => {
      const dx = tf.div(dy, by!);
      const dTotal = tf.neg(tf.mul(dx, kept!));
      return [dx, axis === undefined ? dTotal : tf.sum(dTotal, axis, true)];
    };
    return { value, gradFunc: gradFunc as unknown as (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor[] };
  });
  return divide(sums, total) as T;
}

/** x less the largest along `axis`, for powers of which a normaliser cancels it: it has no gradient. −∞ stays. */
export function lessLargest<T extends tf.Tensor>(x: T, axis: number): T {
  const less = tf.customGrad((input) => ({
    value: tf.tidy(() => {
      const largest = tf.max(input as tf.Tensor, axis, true);
      return tf.sub(input as tf.Tensor, tf.maximum(largest, -1e30)); // where all are −∞
    }),
    gradFunc: (dy: tf.Tensor) => dy,
  }));
  return less(x) as T;
}

/** eᵀ x: positions [B, H, S, D] mixed into r by e [S, r], as rows of one product. [B, H, r, D] */
export function mixPositions(x: tf.Tensor4D, e: tf.Tensor2D): tf.Tensor4D {
  return tf.transpose(linear(tf.transpose(x, [0, 1, 3, 2]), e), [0, 1, 3, 2]);
}

/** Σ_{s≤t} x_s along `axis`. TensorFlow.js' own gradient has another shape than x where the axis is not the last. */
export function cumulate<T extends tf.Tensor>(x: T, axis: number): T {
  const sum = tf.customGrad((input) => ({
    value: tf.cumsum(input as tf.Tensor, axis),
    gradFunc: (dy: tf.Tensor) => tf.cumsum(dy, axis, false, true),
  }));
  return sum(x) as T;
}
