import * as tf from "@tensorflow/tfjs-core";
import { withValue } from "../../ops/attention/guard.ts";
import { bestKey, oneHotKeys } from "../normalize/best-key.ts";
import { sampleCategorical } from "./categorical.ts";
import { checkKeys, type RandomDraw } from "./check.ts";

/**
 * Straight-through estimator: one-hot forward, as if the weights themselves had been used backward.
 *
 *     out = one-hot(s),    s = argmax_s α_s, or s ~ Categorical(α) with a seed;    ∂out/∂α := I
 *
 * Symbols: α weights, s the chosen key. Shapes: [..., S] → [..., S].
 * Conventions: biased, since the gradient is that of another function; it needs no reward and has little variance. A
 * key of weight 0 is never chosen; a row of zeros stays zeros; of equal weights the first wins. As a normaliser:
 * `normalize: (scores) => straightThrough(softmax(scores))`.
 * Cost: O(size). Paper: Bengio, Léonard & Courville 2013, §4, arxiv.org/abs/1308.3432.
 *
 * @throws OptionError OPTION for a bad seed or stream · ShapeError SHAPE when there are no keys
 * @draws
 * const places = tf.sub(tf.reshape(tf.range(0, 12), [12, 1]), tf.reshape(tf.range(0, 12), [1, 12]));
 * const weights = softmax(tf.mul(tf.square(places), -0.1));
 * return tf.stack([weights, straightThrough(weights, { seed: 5 })]);
 * @example
 * straightThrough(tf.tensor2d([[0.2, 0.5, 0.3]])); // [[0, 1, 0]]
 */
export function straightThrough<T extends tf.Tensor>(weights: T, draw?: RandomDraw): T {
  const S = weights.shape[weights.rank - 1];
  checkKeys("straightThrough", "weights [..., S]", S);
  return tf.tidy(() => {
    if (draw) return withValue(weights, oneHotKeys(sampleCategorical(weights, draw), S!));
    return withValue(weights, oneHotKeys(bestKey(weights, 0), S!));
  });
}
