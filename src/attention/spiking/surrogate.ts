import * as tf from "@tensorflow/tfjs-core";
import { checkChoice, checkPositive } from "../../core/check-options.ts";
import { onceDifferentiable } from "../../ops/attention/guard.ts";

export interface SurrogateOptions {
  /** The curve whose derivative stands in for that of the step. @default "sigmoid" */
  surrogate?: "sigmoid" | "arctan";
  /** α > 0: how steep it is at the threshold. @default 4 for the sigmoid, as in Spikformer, and 2 for the arctangent */
  alpha?: number;
}

const ALPHA = { sigmoid: 4, arctan: 2 } as const;

/** @throws OptionError OPTION */
export function checkSurrogate(op: string, options: SurrogateOptions): Required<SurrogateOptions> {
  const { surrogate = "sigmoid" } = options;
  checkChoice(op, "surrogate", surrogate, Object.keys(ALPHA));
  const { alpha = ALPHA[surrogate] } = options;
  checkPositive(op, "alpha", alpha);
  return { surrogate, alpha };
}

/** g(x), what is taken for the derivative of the step. */
export function surrogateSlope(x: tf.Tensor, { surrogate, alpha }: Required<SurrogateOptions>): tf.Tensor {
  if (surrogate === "arctan") {
    return tf.div(alpha / 2, tf.add(tf.square(tf.mul(x, (Math.PI / 2) * alpha)), 1));
  }
  const share = tf.sigmoid(tf.mul(x, alpha));
  return tf.mul(tf.mul(share, tf.sub(1, share)), alpha);
}

/**
 * A spike: the step function forward, the slope of a smooth curve backward, a surrogate gradient.
 *
 *     out = Θ(x) = 1 if x ≥ 0, else 0;    ∂out/∂x := g(x)
 *     sigmoid  g(x) = α σ(αx) (1 − σ(αx))        arctan  g(x) = α/2 / (1 + (π/2 · αx)²)
 *
 * Symbols: x how far a potential is above the threshold, α the steepness, σ the logistic sigmoid. Shapes: any → the same.
 * Conventions: g is not the true gradient, which is 0 everywhere but at 0, where there is none; no difference of outputs
 * agrees with it, and gradient checks do not apply. It is the derivative of the curve, σ(αx) or arctan(π/2 · αx)/π + ½,
 * that the step is an edge of. Both have the area 1. Differentiable once. NaN fires nothing.
 * Cost: O(size). Papers: Neftci, Mostafa & Zenke 2019, arxiv.org/abs/1901.09948; the sigmoid with α = 4, as the code of
 * Zhou et al. 2022 (Spikformer) has it, arxiv.org/abs/2209.15425; the arctangent: Fang et al. 2021, arxiv.org/abs/2007.05785.
 *
 * @throws OptionError OPTION
 * @draws
 * const x = tf.linspace(-1.2, 1.2, 24);
 * const slope = (surrogate) => tf.grad((y) => spike(y, { surrogate }))(x);
 * return tf.stack([spike(x), slope("sigmoid"), slope("arctan")]);
 * @example
 * const x = tf.tensor1d([-0.5, 0, 0.5]);
 * spike(x); // [0, 1, 1]
 * tf.grad((y) => spike(y))(x); // [0.42, 1, 0.42]
 */
export function spike<T extends tf.Tensor>(x: T, options: SurrogateOptions = {}): T {
  const op = "spike";
  const chosen = checkSurrogate(op, options);
  return tf.tidy(() => {
    const step = tf.customGrad((given, save) => {
      (save as tf.GradSaveFunc)([given as tf.Tensor]);
      return {
        value: tf.cast(tf.greaterEqual(given as tf.Tensor, 0), "float32"),
        gradFunc: (dout: tf.Tensor, [saved]: tf.Tensor[]) => tf.mul(dout, surrogateSlope(saved!, chosen)),
      };
    });
    return onceDifferentiable(op, step(x) as T);
  });
}
