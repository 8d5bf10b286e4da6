import type { Claim } from "../claim.ts";

/** What is claimed of the pointer-generator. */
export const pointerClaims: readonly Claim[] = [
  {
    name: "summaries/names",
    claim:
      "A pointer-generator copies names that it never saw, where the same net without a pointer writes none of them; on reports " +
      "longer than any in training coverage keeps it from saying the same again.",
    thresholds: [
      { metric: "copied", atLeast: 0.9 },
      { metric: "copiedWithoutPointer", atMost: 0.05 },
      { metric: "repeatsAvoided", atLeast: 0.5 },
    ],
    quick: false,
    async measure(onProgress) {
      const { learnNames } = await import("./names.ts");
      const result = await learnNames({ onProgress });
      return { ...result, repeatsAvoided: 1 - result.repeats / result.repeatsWithoutCoverage };
    },
  },
];
