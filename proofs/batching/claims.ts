import type { Claim } from "../claim.ts";

/** What is claimed of how sentences are put together. */
export const batchingClaims: readonly Claim[] = [
  {
    name: "guidelines/batches",
    claim:
      "A Transformer trains on at least one and a half times as many tokens a second from bucketed or from packed batches as from batches in the order of the corpus, which are mostly padding.",
    thresholds: [
      { metric: "bucketedGain", atLeast: 1.5 },
      { metric: "packedGain", atLeast: 1.5 },
      { metric: "packedPadding", atMost: 0.1 },
    ],
    quick: false,
    async measure(onProgress) {
      const { throughput } = await import("./throughput.ts");
      return throughput(onProgress);
    },
  },
];
