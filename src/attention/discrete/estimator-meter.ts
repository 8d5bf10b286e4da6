import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";

export interface MeterOptions {
  /** Gradients drawn, at least 2. */
  draws: number;
  /** The seed of the first draw; the others follow it. @default 0 */
  seed?: number;
}

/** How an estimator of a gradient does against the gradient itself. */
export interface EstimatorReport {
  /** The exact gradient, in the order of the parameters' elements. */
  readonly exact: Float64Array;
  /** Mean of the draws − exact. */
  readonly bias: Float64Array;
  /** Of each element of the mean: the deviation of the draws / √draws. */
  readonly standardError: Float64Array;
  /** The largest |bias| in standard errors: about 3 at most for an unbiased estimator with few elements. */
  readonly worst: number;
  /** E‖g‖², the mean squared length of a draw. */
  readonly meanSquare: number;
  /** Sum of the elements' variances: E‖g − E g‖². */
  readonly variance: number;
}

/**
 * Bias and variance of a gradient estimator, against the gradient of an expectation that can be enumerated.
 *
 *     bias = ḡ − ∇E,    ḡ = 1/n Σ_k ∇surrogate(seed + k),    standard error = √(Σ_k (g_k − ḡ)² / (n (n − 1)))
 *
 * Symbols: g a drawn gradient, n draws, E the exact expectation.
 * Shapes: parameters of any shape; both functions give a scalar, in the same sense (both losses, or both rewards).
 * Conventions: sums are in float64. Cost: n gradients of the surrogate, and one of E.
 * Paper: the comparison of Jang, Gu & Poole 2016, §4, arxiv.org/abs/1611.01144, done exactly.
 *
 * @throws OptionError OPTION when there are fewer than 2 draws
 * @example
 * const rewards = tf.tensor1d([1, 2, 4]);
 * const report = measureEstimator(
 *   tf.tensor1d([0.1, 0.2, 0.3]),
 *   (scores) => tf.neg(tf.sum(tf.mul(softmax(scores), rewards))),
 *   (scores, seed) => {
 *     const weights = softmax(scores);
 *     const index = sampleCategorical(weights, { seed });
 *     return scoreFunctionLoss(logProbability(weights, index), tf.gather(rewards, index));
 *   },
 *   { draws: 100 },
 * );
 * report.worst; // below 3
 */
export function measureEstimator<T extends tf.Tensor>(
  parameters: T,
  exact: (parameters: T) => tf.Tensor,
  surrogate: (parameters: T, seed: number) => tf.Tensor,
  { draws, seed = 0 }: MeterOptions,
): EstimatorReport {
  if (!(Number.isSafeInteger(draws) && draws >= 2)) {
    const details = { op: "measureEstimator", name: "draws", rule: "an integer ≥ 2", got: draws };
    throw new OptionError("OPTION", outOfRange(details));
  }
  const gradient = (f: (x: T) => tf.Tensor) =>
    Float64Array.from(
      tf.tidy(() =>
        tf
          .grad((x) => f(x as T))(parameters)
          .dataSync<"float32">(),
      ),
    );
  const target = gradient(exact);
  const gradients = Array.from({ length: draws }, (_, n) => gradient((x) => surrogate(x, seed + n)));
  const mean = target.map((_, e) => gradients.reduce((sum, g) => sum + g[e]!, 0) / draws);
  const variances = target.map(
    (_, e) => gradients.reduce((sum, g) => sum + (g[e]! - mean[e]!) ** 2, 0) / (draws - 1),
  );
  const bias = mean.map((m, e) => m - target[e]!);
  const standardError = variances.map((variance) => Math.sqrt(variance / draws));
  const inErrors = bias.map((b, e) => (b === 0 ? 0 : Math.abs(b) / standardError[e]!));
  return {
    exact: target,
    bias,
    standardError,
    worst: Math.max(0, ...inErrors),
    meanSquare: gradients.reduce((sum, g) => sum + g.reduce((square, x) => square + x * x, 0), 0) / draws,
    variance: variances.reduce((sum, variance) => sum + variance, 0),
  };
}
