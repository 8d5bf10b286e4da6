import type { Hypothesis } from "../../../models/seq2seq/beam.ts";

/**
 * A logistic regression from what a search says of a translation to the share of such translations that are good:
 *
 *     confidence = σ(bias + Σ_i weight_i · feature_i)
 */
export interface Calibration {
  bias: number;
  weights: number[];
}

/** What is known of a translation, as numbers of about one. */
export function features({ ids, logProbability }: Hypothesis, next: Hypothesis | undefined): number[] {
  const length = ids.length + 1;
  const mean = logProbability / length;
  // How much likelier it is than the next one, a piece.
  const lead = next ? Math.min(1, mean - next.logProbability / (next.ids.length + 1)) : 1;
  return [mean, logProbability / 4, Math.log(length) - 2, lead];
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/**
 * @example
 * confidenceOf({ bias: 0, weights: [1] }, [0]); // 0.5
 */
export function confidenceOf({ bias, weights }: Calibration, values: readonly number[]): number {
  return sigmoid(weights.reduce((sum, weight, i) => sum + weight * values[i]!, bias));
}

const RIDGE = 1e-3;
const MOST_STEPS = 50;

/**
 * Fits a calibration to translations that are known to be good or not: the most likely one (Newton's method on the
 * log-likelihood, with a small ridge that keeps separable data finite).
 *
 * @param rows features of each translation
 * @param good whether it is good, each 0 or 1
 * @example
 * const { weights } = fitCalibration([[-3], [-2], [-2], [-1], [0]], [0, 0, 1, 1, 1]);
 * weights[0] > 0; // true
 */
export function fitCalibration(rows: readonly (readonly number[])[], good: readonly (0 | 1)[]): Calibration {
  const n = (rows[0]?.length ?? 0) + 1;
  const inputs = rows.map((row) => [1, ...row]);
  let theta = new Array<number>(n).fill(0);
  for (let step = 0; step < MOST_STEPS; step++) {
    const gradient = theta.map((t) => -RIDGE * t);
    const hessian = Array.from({ length: n }, (_, i) =>
      Array.from({ length: n }, (_, j) => (i === j ? RIDGE : 0)),
    );
    for (const [r, input] of inputs.entries()) {
      const p = sigmoid(input.reduce((sum, x, i) => sum + x * theta[i]!, 0));
      for (let i = 0; i < n; i++) {
        gradient[i]! += (good[r]! - p) * input[i]!;
        for (let j = 0; j < n; j++) hessian[i]![j]! += p * (1 - p) * input[i]! * input[j]!;
      }
    }
    const move = solve(hessian, gradient);
    // Far from the answer a whole step can overshoot.
    const size = Math.max(...move.map(Math.abs));
    theta = theta.map((t, i) => t + move[i]! * Math.min(1, 2 / size));
    if (size < 1e-9) break;
  }
  return { bias: theta[0]!, weights: theta.slice(1) };
}

/** x of A·x = b, A symmetric and positive definite, by elimination. */
function solve(A: number[][], b: number[]): number[] {
  const n = b.length;
  const rows = A.map((row, i) => [...row, b[i]!]);
  for (let i = 0; i < n; i++)
    for (let k = i + 1; k < n; k++) {
      const factor = rows[k]![i]! / rows[i]![i]!;
      for (let j = i; j <= n; j++) rows[k]![j]! -= factor * rows[i]![j]!;
    }
  const x = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let rest = rows[i]![n]!;
    for (let j = i + 1; j < n; j++) rest -= rows[i]![j]! * x[j]!;
    x[i] = rest / rows[i]![i]!;
  }
  return x;
}

export interface ReliabilityBin {
  from: number;
  to: number;
  count: number;
  /** Mean confidence of the translations in it. */
  confidence: number;
  /** Share of them that are good. */
  good: number;
}

/**
 * How true figures of confidence are: translations in bins of equal width, and the expected calibration error, the mean
 * over all translations of |confidence − good| of their bin (Guo et al. 2017, arxiv.org/abs/1706.04599, § 2).
 */
export function reliability(
  confidences: readonly number[],
  good: readonly (0 | 1)[],
  count = 10,
): { bins: ReliabilityBin[]; error: number } {
  const bins = Array.from({ length: count }, (_, b) => {
    const [from, to] = [b / count, (b + 1) / count];
    const inside = confidences.flatMap((p, i) =>
      Math.min(count - 1, Math.floor(p * count)) === b ? [i] : [],
    );
    const mean = (of: (i: number) => number) =>
      inside.length === 0 ? 0 : inside.reduce((sum, i) => sum + of(i), 0) / inside.length;
    return {
      from,
      to,
      count: inside.length,
      confidence: mean((i) => confidences[i]!),
      good: mean((i) => good[i]!),
    };
  });
  const error = bins.reduce((sum, bin) => sum + bin.count * Math.abs(bin.confidence - bin.good), 0);
  return { bins, error: error / Math.max(1, confidences.length) };
}
