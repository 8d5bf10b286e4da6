import * as tf from "@tensorflow/tfjs-core";

/** Vectors without NaN and infinities, and where those were. */
export interface Guarded<T extends tf.Tensor> {
  /** `x` with 0 for every number that is not finite; the gradient skips those numbers too. */
  readonly clean: T;
  /** [..., N, 1]: NaN for a vector that held such a number, else 0. */
  readonly poison: tf.Tensor;
}

/**
 * Takes NaN and infinities out of vectors [..., N, D], so that products may run over hidden places without leaking
 * (0·NaN is NaN). The poison goes back in, with `addConstant`, where the vector is seen: a visible NaN stays one.
 */
export function guard<T extends tf.Tensor>(x: T): Guarded<T> {
  const select = tf.customGrad((input, save) => {
    const finite = tf.isFinite(input as tf.Tensor);
    (save as tf.GradSaveFunc)([finite]);
    return {
      value: tf.where(finite, input as tf.Tensor, 0),
      gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => tf.where(saved!, dy, 0),
    };
  });
  const whole = tf.all(tf.isFinite(x), -1, true);
  return { clean: select(x) as T, poison: tf.where(whole, 0, Number.NaN) };
}

/** x + constant, where nothing flows back into the constant, which must broadcast to x's shape. */
export function addConstant<T extends tf.Tensor>(x: T, constant: tf.Tensor): T {
  const sum = tf.customGrad((input) => ({
    value: tf.add(input as tf.Tensor, constant),
    gradFunc: (dy: tf.Tensor) => dy,
  }));
  return sum(x) as T;
}

/** [..., T, 1]: NaN for queries that see a poisoned key, else 0; `allow` [..., T, S], poison [..., 1, S]. */
export function visiblePoison(allow: tf.Tensor, poison: tf.Tensor): tf.Tensor {
  const seen = tf.any(tf.logicalAnd(allow, tf.isNaN(poison)), -1, true);
  return tf.where(seen, Number.NaN, 0);
}
