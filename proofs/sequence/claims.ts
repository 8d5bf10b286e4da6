import type { Claim } from "../claim.ts";

/** What is claimed of sequence attention. */
export const sequenceClaims: readonly Claim[] = [
  {
    name: "correspondence/cross-attention",
    claim:
      "Cross-attention finds which word of another language a query means, from the error of what that word says alone.",
    thresholds: [{ metric: "alignment", atLeast: 0.99 }],
    quick: true,
    async measure(onProgress) {
      const { learnCorrespondence } = await import("./correspondence.ts");
      return { ...(await learnCorrespondence({ onProgress })) };
    },
  },
  {
    name: "monotone/local-p",
    claim:
      "Local-p learns from monotone data to stand where the answer is, from the error of the word it reads there alone.",
    thresholds: [{ metric: "distance", atMost: 1 }],
    quick: true,
    async measure(onProgress) {
      const { learnMonotone } = await import("./monotone.ts");
      return { ...(await learnMonotone({ onProgress })) };
    },
  },
];
