import { type Claim, SEEDS, worstOf } from "../claim.ts";

/** What is claimed of the measures of faithfulness. Metrics are the worst of three seeds. */
export const faithfulnessClaims: readonly Claim[] = [
  {
    name: "planted-evidence/faithfulness-meter",
    claim:
      "The score of faithfulness is 0.9 or more for the words that were planted as evidence, and within 0.05 of 0.5 for random relevance.",
    thresholds: [
      { metric: "accuracy", atLeast: 0.95 },
      { metric: "planted", atLeast: 0.9 },
      { metric: "randomOff", atMost: 0.05 },
      { metric: "margin", atLeast: 0.4 },
    ],
    quick: true,
    async measure(onProgress) {
      const { faithfulnessMeter } = await import("./meter.ts");
      const less = ["randomOff", "sufficiency"];
      return worstOf(
        SEEDS,
        less,
        (seed, report) => faithfulnessMeter({ seed, onProgress: report }),
        onProgress,
      );
    },
  },
];
