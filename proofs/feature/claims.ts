import { type Claim, SEEDS, type Threshold, worstOf } from "../claim.ts";

interface FeatureClaim {
  name: string;
  claim: string;
  thresholds: readonly Threshold[];
  quick: boolean;
  /** Metrics of which less is better. */
  less: readonly string[];
  learn(options: { seed: number; onProgress: (share: number) => void }): Promise<object>;
}

const LEARNED: readonly FeatureClaim[] = [
  {
    name: "feature-selection/learnable-gate",
    claim:
      "With a penalty, the gates of a learnable gate tell the 5 features that matter from the 45 that do not.",
    thresholds: [{ metric: "auc", atLeast: 0.99 }],
    quick: false,
    less: ["otherGate", "mse"],
    learn: async (options) => (await import("./selection.ts")).learnSelection(options),
  },
  {
    name: "relevant-half/contextual-gate",
    claim:
      "A contextual gate opens the half of the features that the context makes matter, and closes the other; without it the same readout fails.",
    thresholds: [
      { metric: "accuracy", atLeast: 0.95 },
      { metric: "ungatedAccuracy", atMost: 0.8 },
      { metric: "relevantGate", atLeast: 0.8 },
      { metric: "irrelevantGate", atMost: 0.2 },
    ],
    quick: true,
    less: ["irrelevantGate", "ungatedAccuracy"],
    learn: async (options) => (await import("./context.ts")).learnContext(options),
  },
  {
    name: "useful-channel/squeeze-excitation",
    claim:
      "Squeeze and excitation opens the one channel that is useful in an image, another in each, and closes the rest; without it the same readout fails.",
    thresholds: [
      { metric: "ratio", atLeast: 2 },
      { metric: "accuracy", atLeast: 0.95 },
      { metric: "ungatedAccuracy", atMost: 0.8 },
    ],
    quick: true,
    less: ["otherGate", "ungatedAccuracy"],
    learn: async (options) => (await import("./channel.ts")).learnChannel(options),
  },
  {
    name: "planted-object/spatial-attention",
    claim:
      "Spatial attention finds the object in an image of noise: its map is twice as high inside as outside.",
    thresholds: [
      { metric: "ratio", atLeast: 2 },
      { metric: "accuracy", atLeast: 0.9 },
    ],
    quick: false,
    less: ["outside", "ungatedAccuracy"],
    learn: async (options) => (await import("./object.ts")).learnObject(options),
  },
];

/** What is claimed of attention over features and images. Metrics are the worst of three seeds. */
export const featureClaims: readonly Claim[] = [
  {
    name: "product/masks",
    claim:
      "Masks of the input, one unit wide, multiply 2 to 4 numbers exactly, with a quarter at most of the parameters that a plain net needs to come within a thousandth of the variance.",
    thresholds: [
      { metric: "worstMse", atMost: 1e-6 },
      { metric: "share2", atMost: 0.25 },
      { metric: "share3", atMost: 0.25 },
      { metric: "share4", atMost: 0.25 },
    ],
    quick: false,
    async measure(onProgress) {
      const { compareProducts } = await import("./product.ts");
      return compareProducts(onProgress);
    },
  },
  ...LEARNED.map(({ name, claim, thresholds, quick, less, learn }) => ({
    name,
    claim,
    thresholds,
    quick,
    measure: (onProgress: (share: number) => void) =>
      worstOf(SEEDS, less, (seed, report) => learn({ seed, onProgress: report }), onProgress),
  })),
];
