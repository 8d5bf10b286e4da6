/** Measures of one row: the weights of one query over the keys that it may attend to, none negative, not all 0. */

/**
 * Entropy as a share of the largest possible: 1 where all keys weigh the same, 0 where one has everything.
 *
 *     −Σ_s a_s ln a_s / ln n,    a = w / Σ w
 *
 * NaN for one key, which leaves nothing to choose.
 *
 * @example
 * normalizedEntropy([0.25, 0.25, 0.25, 0.25]); // 1
 */
export function normalizedEntropy(weights: ArrayLike<number>): number {
  const n = weights.length;
  let [sum, terms] = [0, 0];
  for (let s = 0; s < n; s++) {
    const w = weights[s]!;
    sum += w;
    if (w > 0) terms += w * Math.log(w);
  }
  // −Σ (w/W) ln (w/W) = ln W − Σ w ln w / W; rounding must not make it negative, nor more than all there is.
  return n < 2 ? Number.NaN : Math.min(1, Math.max(0, (Math.log(sum) - terms / sum) / Math.log(n)));
}

/**
 * Sparsity as Gini's coefficient: 0 where all keys weigh the same, 1 where one has everything.
 *
 *     Σ_r (2r − n − 1) w_(r) / ((n − 1) Σ w),    w_(1) ≤ … ≤ w_(n)
 *
 * @param ascending the weights in growing order
 * @example
 * gini([0, 0, 1]); // 1
 */
export function gini(ascending: ArrayLike<number>): number {
  const n = ascending.length;
  let [sum, terms] = [0, 0];
  for (let r = 0; r < n; r++) {
    sum += ascending[r]!;
    terms += (2 * r + 1 - n) * ascending[r]!;
  }
  return n < 2 ? Number.NaN : terms / ((n - 1) * sum);
}

/**
 * The share of the k largest weights.
 *
 * @param ascending the weights in growing order
 * @example
 * topMass([0.125, 0.125, 0.25, 0.5], 2); // 0.75
 */
export function topMass(ascending: ArrayLike<number>, k: number): number {
  let [sum, top] = [0, 0];
  for (let r = 0; r < ascending.length; r++) {
    sum += ascending[r]!;
    if (r >= ascending.length - k) top += ascending[r]!;
  }
  return top / sum;
}
