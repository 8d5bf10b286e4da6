import * as tf from "@tensorflow/tfjs-core";
import { checkPositive } from "../../core/check-options.ts";
import { withValue } from "../../ops/attention/guard.ts";
import { softmax } from "../../ops/attention/softmax.ts";
import { addGumbel } from "../../ops/gumbel.ts";
import { bestKey, oneHotKeys } from "../normalize/best-key.ts";
import { checkDraw, checkKeys, type RandomDraw } from "./check.ts";

export interface GumbelSoftmaxOptions extends RandomDraw {
  /** τ > 0: near 0 the weights are nearly one-hot and their gradients wild, large τ is smooth. @default 1 */
  temperature?: number;
  /** One-hot forward, with the gradient of the soft weights (straight-through). @default false */
  hard?: boolean;
}

/**
 * Gumbel-softmax: weights that are nearly a draw, and differentiable.
 *
 *     α_s = exp((e_s + g_s)/τ) / Σ_r exp((e_r + g_r)/τ),    g_s = −ln(−ln u_s),    u_s uniform in (0, 1)
 *     hard:  one-hot(argmax_s e_s + g_s) forward, the gradient of α backward
 *
 * Symbols: e scores, g Gumbel noise, τ temperature, α weights. Shapes: [..., S] → [..., S].
 * Conventions: the largest e_s + g_s is a draw from softmax(e), whatever τ, so hard weights are exact draws. Both are
 * biased for the gradient of the expectation over draws; the bias falls and the variance grows as τ → 0. A score of
 * −∞ hides its key: weight 0 and gradient 0; a row of −∞ alone gives 0 everywhere. Element n takes random number n of
 * `RandomStream(seed, stream)`. As a normaliser: `normalize: (scores) => gumbelSoftmax(scores, { seed: step })`.
 * Cost: O(size), and one random number an element. Papers: Jang, Gu & Poole 2016, §2, arxiv.org/abs/1611.01144;
 * Maddison, Mnih & Teh 2016 (the Concrete distribution), §3, arxiv.org/abs/1611.00712.
 *
 * @throws OptionError OPTION for a temperature ≤ 0, a bad seed or stream · ShapeError SHAPE when there are no keys
 * @draws
 * const scores = tf.tile(tf.reshape(tf.mul(tf.square(tf.linspace(-2, 2, 12)), -1), [1, 12]), [8, 1]);
 * return tf.stack([2, 0.5, 0.1].map((temperature) => gumbelSoftmax(scores, { temperature, seed: 4 })));
 * @example
 * const scores = tf.tensor2d([[1, 2, -Infinity]]);
 * tf.sum(gumbelSoftmax(scores, { seed: 7, temperature: 0.5 }), -1); // [1]
 * gumbelSoftmax(scores, { seed: 7, hard: true }); // one-hot, and differentiable
 */
export function gumbelSoftmax<T extends tf.Tensor>(scores: T, options: GumbelSoftmaxOptions): T {
  const op = "gumbelSoftmax";
  const { temperature = 1, hard = false } = options;
  const draw = checkDraw(op, options);
  checkPositive(op, "temperature", temperature);
  const S = scores.shape[scores.rank - 1];
  checkKeys(op, "scores [..., S]", S);
  return tf.tidy(() => {
    const noisy = addGumbel(scores, draw.seed, draw.stream);
    const soft = softmax(temperature === 1 ? noisy : tf.div(noisy, temperature));
    return hard ? withValue(soft, oneHotKeys(bestKey(noisy), S!)) : soft;
  }) as T;
}
