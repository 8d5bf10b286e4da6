import { type Claim, SEEDS, worstOf } from "../claim.ts";

/** What is claimed of measures of relevance. Metrics are the worst of three seeds. */
export const relevanceClaims: readonly Claim[] = [
  {
    name: "planted-evidence/gradient-relevance",
    claim:
      "Words taken away in the order of gradientRelevance destroy an answer sooner than in that of raw attention, or in any order.",
    thresholds: [
      { metric: "accuracy", atLeast: 0.95 },
      { metric: "belowRaw", atLeast: 0.03 },
      { metric: "belowRandom", atLeast: 0.2 },
    ],
    quick: true,
    async measure(onProgress) {
      const { plantedEvidence } = await import("./planted-evidence.ts");
      const less = ["gradient", "rollout", "raw", "random"];
      return worstOf(
        SEEDS,
        less,
        (seed, report) => plantedEvidence({ seed, onProgress: report }),
        onProgress,
      );
    },
  },
];
