import type { HeatmapData } from "../../src/viz/index.ts";

/** The tokens of the article's example. */
export const INPUT = ["I", "love", "machine", "learning", "and", "artificial", "intelligence"];
export const OUTPUT = ["J'", "aime", "l'", "apprentissage", "automatique"];

/** Rows that sum to 1, with values on both sides of every threshold of the drawings. */
export const SEED: HeatmapData = {
  weights: [
    [0.9, 0.05, 0.02, 0.01, 0.01, 0.005, 0.005],
    [0.1, 0.8, 0.04, 0.03, 0.02, 0.01, 0],
    [0, 0.05, 0.25, 0.5, 0.1, 0.06, 0.04],
    [0, 0, 0.125, 0.75, 0.125, 0, 0],
    [0, 0, 0, 0, 0, 0.3, 0.7],
  ],
  rowTokens: OUTPUT,
  columnTokens: INPUT,
};

/** Causal self-attention over five tokens; NaN and numbers under the mask must not matter. */
export const CAUSAL: HeatmapData = {
  weights: [
    [1, Number.NaN, 0.5, 0, 0],
    [0.25, 0.75, Number.POSITIVE_INFINITY, 9, 0],
    [0.2, 0.3, 0.5, -1, 0],
    [0.1, 0.2, 0.3, 0.4, 0],
    [0, 0, 0, 0, 1],
  ],
  mask: [
    [1, 0, 0, 0, 0],
    [1, 1, 0, 0, 0],
    [1, 1, 1, 0, 0],
    [1, 1, 1, 1, 0],
    [1, 1, 1, 1, 1],
  ],
  rowTokens: ["the", "cat", "sat", "down", "."],
  columnTokens: ["the", "cat", "sat", "down", "."],
};

/** Tokens that attack a terminal, an SVG or the layout. */
export const HOSTILE = [
  "<script>alert(1)</script>",
  "]]></svg>",
  '" onload="x',
  "on\u001b[31mred\u001b]0;title\u0007",
  "\u009b31m",
  "abc\u202edcba\u2066",
  "zero\u200bwidth\ufeff",
  "x".repeat(10_000),
  "שלום",
  "👩‍👩‍👧",
  "🇫🇷",
  "日本語",
  "\ud800",
  "\uffff",
  "",
  " a ",
  `e${"\u0301".repeat(40)}`,
];

/** Weights of `rows` × `columns` that peak along the diagonal; every row sums to 1. */
export function diagonal(rows: number, columns: number): number[][] {
  return Array.from({ length: rows }, (_, i) => {
    const scores = Array.from({ length: columns }, (_, j) =>
      Math.exp(4 * Math.exp(-60 * (i / rows - j / columns) ** 2) + Math.sin(7 * i + 3 * j)),
    );
    const sum = scores.reduce((a, b) => a + b);
    return scores.map((score) => score / sum);
  });
}

export const numbered = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);
