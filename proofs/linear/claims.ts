import type { Claim } from "../claim.ts";

/** What is claimed of approximate attention. */
export const linearClaims: readonly Claim[] = [
  {
    name: "approximation/lsh-recall",
    claim: "LSH attention reads nine in ten of the 16 keys that matter most to a query, in 8 rounds.",
    thresholds: [
      { metric: "recall8", atLeast: 0.9 },
      { metric: "read8", atMost: 0.5 },
    ],
    quick: true,
    async measure(onProgress) {
      const { lshRecall } = await import("./recall.ts");
      return lshRecall([1, 2, 4, 8], onProgress);
    },
  },
  {
    name: "approximation/performer-error",
    claim: "The error of Performer falls as 1/√m with the number m of its features.",
    thresholds: [{ metric: "slope", atLeast: -0.7, atMost: -0.3 }],
    quick: true,
    async measure(onProgress) {
      const { performerError } = await import("./performer-error.ts");
      return performerError(onProgress);
    },
  },
];
