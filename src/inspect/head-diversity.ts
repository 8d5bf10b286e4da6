import { type AttentionShapes, size } from "../core/notation.ts";
import { checkElements } from "./check.ts";

export interface HeadDiversity {
  /** Mean over examples, queries and pairs of heads: 0 where all heads look alike, 1 where no two share a key. */
  readonly mean: number;
  /** [H, H], row-major: the same for each pair of heads; 0 on the diagonal. */
  readonly pairs: Float64Array;
}

/**
 * Head diversity: how differently the heads of a layer look, as the Jensen–Shannon divergence of their weights.
 *
 *     d(p, q) = ½ Σ_s p_s log₂(p_s / m_s) + ½ Σ_s q_s log₂(q_s / m_s),    m = (p + q) / 2
 *
 * Symbols: p, q two heads' weights of one query. Shapes: weights [B, H, T, S] in one array → a number, and [H, H].
 * Conventions: in bits, so between 0 and 1. Queries that see nothing in one of two heads are left out of that pair;
 * with a sink, rows are scaled to sum to 1 first. One head has no pair: the mean is 0.
 * Cost: O(B·H²·T·S). Paper: Lin 1991, "Divergence measures based on the Shannon entropy"; heads that look alike can be
 * pruned: Michel, Levy & Neubig 2019, arxiv.org/abs/1905.10650.
 *
 * @throws ShapeError SHAPE when the weights are not B·H·T·S numbers
 * @example
 * const weights = Float32Array.of(1, 0, 0, 1); // two heads, one query, two keys
 * headDiversity(weights, { B: 1, H: 2, T: 1, S: 2 }).mean; // 1
 */
export function headDiversity(
  weights: ArrayLike<number>,
  { B, H, T, S }: Pick<AttentionShapes, "B" | "H" | "T" | "S">,
): HeadDiversity {
  const expected = size([B, H, T, S]);
  checkElements("headDiversity", "weights", "B·H·T·S", expected, weights.length);
  const sums = rowSums(weights, B * H * T, S);
  const pairs = new Float64Array(H * H);
  let total = 0;
  for (let g = 0; g < H; g++)
    for (let h = g + 1; h < H; h++) {
      let sum = 0;
      let rows = 0;
      for (let b = 0; b < B; b++)
        for (let t = 0; t < T; t++) {
          const [p, q] = [(b * H + g) * T + t, (b * H + h) * T + t];
          if (!(sums[p]! > 0 && sums[q]! > 0)) continue;
          sum += divergence(weights, p * S, sums[p]!, q * S, sums[q]!, S);
          rows++;
        }
      const d = rows === 0 ? 0 : sum / rows;
      pairs[g * H + h] = d;
      pairs[h * H + g] = d;
      total += d;
    }
  return { mean: H < 2 ? 0 : total / ((H * (H - 1)) / 2), pairs };
}

function rowSums(weights: ArrayLike<number>, rows: number, S: number): Float64Array {
  const sums = new Float64Array(rows);
  for (let e = 0; e < rows * S; e++) sums[Math.floor(e / S)]! += weights[e]!;
  return sums;
}

/** The divergence in bits of the rows that begin at p and q. */
function divergence(
  w: ArrayLike<number>,
  p: number,
  pSum: number,
  q: number,
  qSum: number,
  S: number,
): number {
  let d = 0;
  for (let s = 0; s < S; s++) {
    const [a, b] = [w[p + s]! / pSum, w[q + s]! / qSum];
    const m = (a + b) / 2;
    if (a > 0) d += (a * Math.log2(a / m)) / 2;
    if (b > 0) d += (b * Math.log2(b / m)) / 2;
  }
  return d;
}
