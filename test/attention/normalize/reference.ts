/** Normalisers of one row in plain loops and float64. */

/** α-entmax by halving τ 200 times, and the gradient of Σ cotangents·weights by its Jacobian diag(g) − g gᵀ/Σg. */
export function referenceEntmax(scores: ArrayLike<number>, alpha: number, cotangents: ArrayLike<number>) {
  const z = Array.from(scores, (e) => (alpha - 1) * e);
  const weigh = (threshold: number) => z.map((one) => Math.max(one - threshold, 0) ** (1 / (alpha - 1)));
  const total = (weights: number[]) => weights.reduce((sum, p) => sum + p, 0);
  let [low, high] = [Math.max(...z) - 1, Math.max(...z)];
  for (let n = 0; n < 200; n++) {
    const middle = (low + high) / 2;
    if (total(weigh(middle)) >= 1) low = middle;
    else high = middle;
  }
  const weights = weigh(low);
  const g = weights.map((p) => (p > 0 ? p ** (2 - alpha) : 0));
  const along = g.reduce((sum, own, s) => sum + own * cotangents[s]!, 0) / total(g);
  return { weights, gradient: g.map((own, s) => own * (cotangents[s]! - along)) };
}

export function referenceSoftmaxPlusOne(scores: Float64Array, S: number): Float64Array {
  const weights = new Float64Array(scores.length);
  for (let row = 0; row < scores.length; row += S) {
    let total = 1;
    for (let s = 0; s < S; s++) total += Math.exp(scores[row + s]!);
    for (let s = 0; s < S; s++) weights[row + s] = Math.exp(scores[row + s]!) / total;
  }
  return weights;
}
