/** Pearson's statistic of counts against shares, which sum to 1. */
export function chiSquare(counts: readonly number[], shares: readonly number[]): number {
  const n = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce((sum, count, s) => sum + (count - n * shares[s]!) ** 2 / (n * shares[s]!), 0);
}

/** The 0.99 quantile of χ² by degrees of freedom: above it p < 0.01. */
export const CHI_SQUARE_99: Record<number, number> = { 6: 16.812, 7: 18.475 };
