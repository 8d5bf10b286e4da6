import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { noSecondGradient } from "../../core/faults.ts";

/**
 * x with 0 for every number that is not finite, so that products may run over hidden places without leaking (0·NaN is
 * NaN). What is seen is put back: scores with `withValue`, values with `strayValues`. Hidden places and unhidden
 * ones then give the same as without a mask, NaN and infinities included.
 */
export function cleaned<T extends tf.Tensor>(x: T): T {
  // Where a number was taken out the product's gradient is 0 if it was hidden, and no one's business if it was seen.
  const select = tf.customGrad((input) => ({
    value: tf.where(tf.isFinite(input as tf.Tensor), input as tf.Tensor, 0),
    gradFunc: (dy: tf.Tensor) => dy,
  }));
  return select(x) as T;
}

/** Backends whose results can be read without waiting for another device. */
const SYNCHRONOUS = new Set(["cpu", "heed", "wasm"]);

/** Whether what is computed can be read at once, so that looking at it may save work. */
export function canRead(): boolean {
  return SYNCHRONOUS.has(tf.getBackend());
}

/** Whether what was computed cannot be read but by waiting for it, so that a check of it is left out. */
export function mustWait(): boolean {
  return tf.getBackend() === "webgpu";
}

/** Tensors found free of NaN and infinities. Tensors never change; variables do, so they are never in here. */
const known = new WeakSet<tf.Tensor>();

/**
 * Whether x is known to hold finite numbers only: one pass over it, remembered, so that a source asked many times is
 * looked at once. On a device that would have to be waited for the answer is no, which is always safe.
 */
export function isKnownFinite(x: tf.Tensor): boolean {
  if (known.has(x)) return true;
  if (!canRead()) return false;
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

/** x without its history: no gradient goes through it. */
export function detached<T extends tf.Tensor>(x: T): T {
  return tf.customGrad(() => ({ value: tf.clone(x), gradFunc: () => [] }))() as T;
}

/** `value` in the place of x, with x's gradient. */
export function withValue<T extends tf.Tensor>(x: T, value: tf.Tensor): T {
  const replace = tf.customGrad(() => ({ value: tf.clone(value), gradFunc: (dy: tf.Tensor) => dy }));
  return replace(x) as T;
}

/**
 * x, with a gradient that throws when it is differentiated itself: where a softmax stands in between, TensorFlow.js
 * would give another number without a word, because what a customGrad saves is not on the tape.
 *
 * @throws OptionError GRADIENT, at the second differentiation
 */
export function onceDifferentiable<X extends tf.Tensor>(op: string, x: X): X {
  const refuse = (): tf.Tensor[] => {
    throw new OptionError("GRADIENT", noSecondGradient({ op }));
  };
  // x is an input so that everything that depends on x finds this node on its way.
  const last = tf.customGrad((dx) => ({ value: tf.clone(dx as tf.Tensor), gradFunc: refuse }));
  const first = tf.customGrad((y) => ({
    value: tf.clone(y as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => last(dy, x),
  }));
  return first(x) as X;
}

/**
 * What is made of factors of which some hold nothing, such as the product of matrices that share no rows or columns:
 * `value` everywhere in this shape, which no factor moves. The stock `wasm` backend returns memory as it finds it for a
 * sum of nothing, and writes beside its tensors where it repeats something 0 times.
 */
export function ofNothing(factors: readonly tf.Tensor[], shape: number[], value = 0): tf.Tensor {
  const fixed = tf.customGrad(() => ({
    value: tf.fill(shape, value),
    gradFunc: () => factors.map((x) => tf.zerosLike(x)),
  }));
  return fixed(...factors);
}

/**
 * Where a key may be seen at all, as bool that broadcasts to the scores: `allow`, and a bias that is not −∞. Undefined
 * where both are. A bias may learn; no gradient goes through what it hides.
 */
export function seenMask(allow?: tf.Tensor, bias?: tf.Tensor): tf.Tensor | undefined {
  const unbiased = bias && detached(tf.notEqual(bias, Number.NEGATIVE_INFINITY));
  return allow && unbiased ? tf.logicalAnd(allow, unbiased) : (allow ?? unbiased);
}

/**
 * What NaN and infinities among the values add to Σ_s weight_ts v_sd: 0, ±Infinity or NaN, column by column, as the
 * sum itself would, but for keys that are hidden. Shapes: weights [..., T, S], seen bool that broadcasts to them,
 * values [..., S, Dv] → [..., T, Dv].
 */
export function strayValues(weights: tf.Tensor, seen: tf.Tensor, values: tf.Tensor): tf.Tensor {
  const number = (x: tf.Tensor) => tf.cast(x, "float32");
  const [up, down] = [tf.greater(weights, 0), tf.less(weights, 0)].map(number) as [tf.Tensor, tf.Tensor];
  const none = number(tf.logicalAnd(tf.equal(weights, 0), seen)); // 0·∞ is NaN
  const [high, low] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((end) =>
    number(tf.equal(values, end)),
  ) as [tf.Tensor, tf.Tensor];
  const nan = number(tf.isNaN(values));
  const anywhere = (kinds: tf.Tensor[], places: tf.Tensor[], become: number) =>
    tf.where(tf.greater(tf.matMul(tf.concat(kinds, -1), tf.concat(places, -2)), 0), become, 0);
  return tf.addN([
    anywhere([up, down], [high, low], Number.POSITIVE_INFINITY),
    anywhere([up, down], [low, high], Number.NEGATIVE_INFINITY),
    anywhere([up, down, none, none], [nan, nan, nan, tf.add(high, low)], Number.NaN),
  ]);
}

/**
 * A map of x whose hidden rows may hold NaN, which the gradients of the map's parameters must not meet: the value is
 * that of x, the gradient that of cleaned x.
 */
export function guardedMap<X extends tf.Tensor, Y extends tf.Tensor>(x: X, map: (x: X) => Y): Y {
  const mapped = map(x);
  return (mapped as tf.Tensor) === x || isKnownFinite(x) ? mapped : withValue(map(cleaned(x)), mapped);
}
