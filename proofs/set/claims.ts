import { type Claim, missingImages, SEEDS, worstOf } from "../claim.ts";

/** What is claimed of sets: models of them beside what they are compared with. */
export const setClaims: readonly Claim[] = [
  {
    name: "kinds-of-a-set/set-transformer",
    claim:
      "Set Transformer counts how many different vectors a set of eight holds, new ones in each set; a mean over the elements, trained up to 225,000 steps, does not.",
    thresholds: [
      { metric: "accuracy", atLeast: 0.8 },
      { metric: "gain", atLeast: 0.1 },
    ],
    quick: false,
    measure: async (onProgress) => (await import("./functions-of-sets.ts")).learnKinds({ onProgress }),
  },
  {
    name: "maximum-of-a-set/set-transformer",
    claim:
      "Set Transformer gives the largest of up to ten numbers from 0 to 1 nearer than a mean over the elements that is trained up to 225,000 steps.",
    thresholds: [
      { metric: "error", atMost: 0.006 },
      { metric: "ratio", atMost: 0.75 },
    ],
    quick: false,
    measure: async (onProgress) => (await import("./functions-of-sets.ts")).learnMaximum({ onProgress }),
  },
  {
    name: "coloured-discs/slot-attention",
    claim:
      "Slots, which learn to paint scenes of two or three discs and nothing else, part the pixels of the discs as the discs do; before they learn they do not.",
    thresholds: [
      { metric: "ari", atLeast: 0.8 },
      { metric: "untrained", atMost: 0.3 },
    ],
    quick: false,
    measure: async (onProgress) => (await import("./blobs.ts")).learnBlobs({ onProgress }),
  },
  {
    name: "three-inputs/perceiver-io",
    claim:
      "Perceiver IO answers questions that need a text, an image and a sound in one call; without one of the three it cannot.",
    thresholds: [
      { metric: "accuracy", atLeast: 0.95 },
      { metric: "withoutText", atMost: 0.6 },
      { metric: "withoutImage", atMost: 0.6 },
      { metric: "withoutSound", atMost: 0.6 },
    ],
    quick: false,
    measure: (onProgress) =>
      worstOf(
        SEEDS,
        ["withoutText", "withoutImage", "withoutSound"],
        async (seed, report) =>
          (await import("./three-inputs.ts")).learnThreeInputs({ seed, onProgress: report }),
        onProgress,
      ),
  },
  {
    name: "glyphs-in-scenes/detection-transformer",
    claim:
      "Object queries find one to three glyphs of two sizes in scenes of noise, each once, with its class and its box.",
    thresholds: [
      { metric: "precision", atLeast: 0.8 },
      { metric: "untrained", atMost: 0.05 },
    ],
    quick: false,
    measure: (onProgress) =>
      worstOf(
        SEEDS,
        ["untrained"],
        async (seed, report) => (await import("./detection.ts")).learnDetection({ seed, onProgress: report }),
        onProgress,
      ),
  },
  {
    name: "items-beside-a-bag/non-local",
    claim:
      "Behind a non-local block cells that each tell what stands over them know whether a bag stands elsewhere in the scene; without it they do not. Object queries, which read all cells themselves, know it either way.",
    thresholds: [
      { metric: "cells", atLeast: 0.8 },
      { metric: "localCells", atMost: 0.5 },
    ],
    quick: false,
    missing: () => missingImages("fashion-mnist"),
    measure: (onProgress) =>
      worstOf(
        SEEDS,
        ["localCells"],
        async (seed, progress) => (await import("./company.ts")).learnCompany({ seed, onProgress: progress }),
        onProgress,
      ),
  },
];
