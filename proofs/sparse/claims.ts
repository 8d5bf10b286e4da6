import type { Claim } from "../claim.ts";

/** Chance gets one of 16 answers right; of 256, 4 standard errors of 1.5 % above it. */
const AT_CHANCE = 0.13;

/** What is claimed of sparse attention. */
export const sparseClaims: readonly Claim[] = [
  {
    name: "sparse/lookup",
    claim:
      "Among 4096 positions one layer that chooses keys by content, top-k or LSH, answers as dense attention does, and so does Longformer where those that ask are global. A pattern answers where it happens to see: BigBird seldom, a window, strides, blocks and a class token at chance; two layers of all but the window connect every question with its answer.",
    thresholds: [
      ...["dense", "topK", "lsh", "longformerAsking"].map((metric) => ({ metric, atLeast: 0.99 })),
      { metric: "bigBird", atMost: 0.3 },
      ...["window", "strided", "fixed", "longformer"].map((metric) => ({ metric, atMost: AT_CHANCE })),
      ...["strided", "fixed", "longformer", "bigBird"].map((name) => ({
        metric: `${name}Reach`,
        atLeast: 1,
      })),
      { metric: "windowReach", atMost: 0.05 },
    ],
    quick: true,
    async measure(onProgress) {
      const { longRangeLookup } = await import("./lookup.ts");
      return longRangeLookup(onProgress);
    },
  },
];
