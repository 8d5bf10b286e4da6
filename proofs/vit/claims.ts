import { type Claim, worstOf } from "../claim.ts";

/** What Vision Transformers learn, and whether they look at what they name. */
export const vitClaims: readonly Claim[] = [
  {
    name: "vit/shapes",
    claim:
      "A small Vision Transformer names shapes of any size and place under noise, and its rollout lies on them: half as much " +
      "again as their share of the patches, or more.",
    thresholds: [
      { metric: "accuracy", atLeast: 0.95 },
      { metric: "lift", atLeast: 1.5 },
    ],
    quick: false,
    async measure(onProgress) {
      const { learnShapes } = await import("./train.ts");
      return worstOf([1, 2], ["area"], learnShapes, onProgress);
    },
  },
];
