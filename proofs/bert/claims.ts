import type { Claim } from "../claim.ts";

/** What BERT learns of a made-up English, and what that is worth. */
export const bertClaims: readonly Claim[] = [
  {
    name: "bert/pretraining",
    claim:
      "BERT, trained to fill gaps, names hidden words of new sentences several times as often as who knows the frequencies alone, and makes a verb agree with its subject over a noun of the other number.",
    thresholds: [
      { metric: "ratio", atLeast: 3 },
      { metric: "agreement", atLeast: 0.9 },
    ],
    quick: false,
    async measure(onProgress) {
      const { fillGaps } = await import("./fill-gaps.ts");
      return { ...(await fillGaps(onProgress)) };
    },
  },
  {
    name: "bert/fine-tuning",
    claim:
      "From a hundred labelled sentences the pre-trained BERT learns what the same net from scratch does not, neither in as many steps nor in four times as many.",
    thresholds: [
      { metric: "margin", atLeast: 0.1 },
      { metric: "longer", atMost: 0.9 },
    ],
    quick: false,
    async measure(onProgress) {
      const { fineTune } = await import("./fine-tune.ts");
      return fineTune(onProgress);
    },
  },
];
