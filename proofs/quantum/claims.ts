import { type Claim, worstOf } from "../claim.ts";

/** What is claimed of simulated quantum attention. */
export const quantumClaims: readonly Claim[] = [
  {
    name: "sentiment/quantum-simulated",
    claim:
      "Quantum self-attention, simulated with two qubits, tells praise from blame in new sentences, half of them turned round by a negation; a bag of words cannot.",
    thresholds: [
      { metric: "accuracy", atLeast: 0.9 },
      { metric: "bagOfWords", atMost: 0.6 },
    ],
    quick: true,
    async measure(onProgress) {
      const { learnSentiment } = await import("./sentiment.ts");
      return worstOf([1, 2], ["bagOfWords", "stepSeconds"], learnSentiment, onProgress);
    },
  },
];
