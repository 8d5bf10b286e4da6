import * as tf from "@tensorflow/tfjs-core";
import { checkCount } from "../core/check-options.ts";
import { checkTensors } from "../ops/check.ts";
import { tidy } from "../ops/tidy.ts";
import { oneNumber } from "./example.ts";

export interface IntegratedGradientsOptions {
  /** What stands for no input, in the shape of x. @default zeros */
  readonly baseline?: tf.Tensor;
  /** Points along the way from the baseline to x. @default 50 */
  readonly steps?: number;
}

/**
 * Integrated gradients: what each number of an input adds to one number that a model gives, a class's score say.
 *
 *     IG_i = (x_i − x'_i) · ∫₀¹ ∂f(x' + a(x − x'))/∂x_i da,    the integral as the mean of `steps` gradients, each at the
 *     middle of its share of the way
 *
 * Symbols: f the model's number, x the input, x' the baseline. Shapes: x of any shape, f(x) a scalar → the shape of x.
 * Conventions: Σ_i IG_i = f(x) − f(x') (completeness) up to O(1/steps²) where f is smooth; exact where gradients are linear
 * along the way. An input that f does not read gets 0. Of word vectors, sum over the features of each word. f sees one x at a
 * time, must be differentiable and must drop nothing at random. Cost: `steps` gradients of f, one after the other.
 * Paper: Sundararajan, Taly & Yan 2017, § 3, arxiv.org/abs/1703.01365.
 *
 * @throws ShapeError SHAPE · OptionError OPTION, UNSUPPORTED where f gives no scalar
 * @example
 * const f = (x) => tf.sum(tf.square(x));
 * integratedGradients(f, tf.tensor1d([1, 2])); // [1, 4]
 */
export function integratedGradients<X extends tf.Tensor>(
  f: (x: X) => tf.Tensor,
  x: X,
  options: IntegratedGradientsOptions = {},
): X {
  const op = "integratedGradients";
  const { baseline, steps = 50 } = options;
  checkCount(op, "steps", steps);
  const letters = `[${x.shape.join(", ")}]`;
  checkTensors(op, [
    { name: "x", tensor: x, letters, shape: x.shape },
    ...(baseline ? [{ name: "baseline", tensor: baseline, letters, shape: x.shape }] : []),
  ]);
  const slope = tf.grad((at: tf.Tensor) => oneNumber(op, "f(x)", f(at as X)));
  return tidy(() => {
    const from = baseline ?? tf.zerosLike(x);
    const way = tf.sub(x, from);
    let sum = tf.zerosLike(x) as tf.Tensor;
    for (let n = 0; n < steps; n++) {
      const before = sum;
      sum = tf.tidy(() => tf.add(before, slope(tf.add(from, tf.mul(way, (n + 0.5) / steps)))));
      before.dispose();
    }
    return tf.div(tf.mul(way, sum), steps) as X;
  });
}
