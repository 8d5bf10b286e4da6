import * as tf from "@tensorflow/tfjs-core";

/** Vectors without NaN and infinities, and where those were. */
export interface Guarded<T extends tf.Tensor> {
  /** `x` with 0 for every number that is not finite. */
  readonly clean: T;
  /** [..., N, 1]: NaN for a vector that held such a number, else 0. */
  readonly poison: tf.Tensor;
}

/**
 * Takes NaN and infinities out of vectors [..., N, D], so that products may run over hidden places without leaking
 * (0·NaN is NaN). The poison goes back in, with `addConstant`, where the vector is seen: a visible NaN stays one.
 */
export function guard<T extends tf.Tensor>(x: T): Guarded<T> {
  // Where a number was taken out the product's gradient is 0 if it was hidden, and no one's business if it was seen.
  const select = tf.customGrad((input) => ({
    value: tf.where(tf.isFinite(input as tf.Tensor), input as tf.Tensor, 0),
    gradFunc: (dy: tf.Tensor) => dy,
  }));
  const whole = tf.all(tf.isFinite(x), -1, true);
  return { clean: select(x) as T, poison: tf.where(whole, 0, Number.NaN) };
}

/** Backends whose results can be read without waiting for another device. */
const SYNCHRONOUS = new Set(["cpu", "heed", "wasm"]);
/** Tensors found free of NaN and infinities. Tensors never change; variables do, so they are never in here. */
const known = new WeakSet<tf.Tensor>();

/**
 * Whether x is known to hold finite numbers only: one pass over it, remembered, so that a source asked many times is
 * looked at once. On a device that would have to be waited for the answer is no, which is always safe.
 */
export function isKnownFinite(x: tf.Tensor): boolean {
  if (known.has(x)) return true;
  if (!SYNCHRONOUS.has(tf.getBackend())) return false;
  // 0·x is 0 for finite numbers and NaN for the others.
  const finite = tf.tidy(() => tf.sum(tf.mul(x, 0)).dataSync()[0] === 0);
  if (finite && !(x instanceof tf.Variable)) known.add(x);
  return finite;
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
