import type { Claim } from "../claim.ts";

/** What is claimed of Show, Attend and Tell. */
export const captioningClaims: readonly Claim[] = [
  {
    name: "captioning/symbols",
    claim:
      "Show, Attend and Tell names the symbols of a picture in reading order, by soft attention and by hard, and looks at each " +
      "when it names it; the doubly stochastic penalty lowers how unevenly the places are looked at: a slight one a little, a " +
      "strong one more, which looks less at each.",
    thresholds: [
      { metric: "exact", atLeast: 0.95 },
      { metric: "onSymbol", atLeast: 0.6 },
      { metric: "unevennessKept", atMost: 0.99 },
      { metric: "exactStrong", atLeast: 0.95 },
      { metric: "unevennessKeptStrong", atMost: 0.95 },
      { metric: "exactHard", atLeast: 0.85 },
      { metric: "onSymbolHard", atLeast: 0.6 },
    ],
    quick: false,
    async measure(onProgress) {
      const { learnSymbols } = await import("./symbols.ts");
      const { withPenalty, strong, without, hard } = await learnSymbols({ onProgress });
      return {
        ...withPenalty,
        exactWithoutPenalty: without.exact,
        onSymbolWithoutPenalty: without.onSymbol,
        unevennessWithoutPenalty: without.unevenness,
        unevennessKept: withPenalty.unevenness / without.unevenness,
        exactStrong: strong.exact,
        onSymbolStrong: strong.onSymbol,
        unevennessKeptStrong: strong.unevenness / without.unevenness,
        exactHard: hard.exact,
        onSymbolHard: hard.onSymbol,
      };
    },
  },
];
