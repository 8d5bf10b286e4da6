/** Plain loops over Gaussians, in float64. */
export interface Axis {
  u: number;
  d: number;
  s: number;
}

/** [R][C], each row divided by its sum, after its largest exponent is taken away. */
export function gaussianRows({ u, d, s }: Axis, R: number, C: number): number[][] {
  return Array.from({ length: R }, (_, r) => {
    const logits = Array.from({ length: C }, (_, c) => -0.5 * ((c - (u + r * d)) / s) ** 2);
    const most = Math.max(...logits);
    const e = logits.map((logit) => Math.exp(logit - most));
    const sum = e.reduce((a, b) => a + b);
    return e.map((x) => x / sum);
  });
}

/** Parameters for B examples on C pixels: some on the image, some partly beyond it. */
export function axisOf(B: number, C: number): { u: number[]; d: number[]; s: number[] } {
  const each = (f: (b: number) => number) => Array.from({ length: B }, (_, b) => Math.fround(f(b)));
  return {
    u: each((b) => 0.3 * C - 1.7 * b),
    d: each((b) => 0.9 + 0.35 * b),
    s: each((b) => 1.3 - 0.15 * b),
  };
}
