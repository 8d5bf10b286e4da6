import type { Claim } from "../claim.ts";

/** What is claimed of Show, Attend and Tell. */
export const captioningClaims: readonly Claim[] = [
  {
    name: "captioning/symbols",
    claim:
      "Show, Attend and Tell names the symbols of a picture in reading order, by soft attention and by hard, and looks at each " +
      "when it names it; the doubly stochastic penalty lowers how unevenly the places are looked at, and looks less at each.",
    thresholds: [
      { metric: "exact", atLeast: 0.9 },
      { metric: "onSymbolWithoutPenalty", atLeast: 0.5 },
      { metric: "exactHard", atLeast: 0.8 },
      { metric: "unevennessKept", atMost: 0.95 },
    ],
    quick: false,
    async measure(onProgress) {
      const { learnSymbols } = await import("./symbols.ts");
      const { withPenalty, without, hard } = await learnSymbols({ onProgress });
      return {
        ...withPenalty,
        exactWithoutPenalty: without.exact,
        onSymbolWithoutPenalty: without.onSymbol,
        unevennessWithoutPenalty: without.unevenness,
        unevennessKept: withPenalty.unevenness / without.unevenness,
        exactHard: hard.exact,
        onSymbolHard: hard.onSymbol,
      };
    },
  },
];
