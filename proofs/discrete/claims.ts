import { type Claim, part, type Threshold } from "../claim.ts";
import type { LookupChoice } from "./lookup.ts";

interface LookupClaim {
  variant: string;
  choice: LookupChoice;
  claim: string;
  thresholds: readonly Threshold[];
}

/** Compared with soft attention's accuracy. */
const AS_GOOD: Threshold = { metric: "ofSoft", atLeast: 0.95 };

const LOOKUPS: readonly LookupClaim[] = [
  {
    variant: "score-function",
    choice: "scoreFunction",
    claim:
      "Attention that reads one slot, drawn at random, learns by REINFORCE with a moving average as its baseline.",
    thresholds: [AS_GOOD],
  },
  {
    variant: "gumbel-softmax",
    choice: "gumbelSoftmax",
    claim: "Attention that reads one slot learns through Gumbel-softmax with straight-through gradients.",
    thresholds: [AS_GOOD],
  },
  {
    variant: "straight-through",
    choice: "straightThrough",
    claim: "Attention that reads one slot learns with the straight-through gradient of its drawn choice.",
    thresholds: [AS_GOOD],
  },
  {
    variant: "argmax",
    choice: "argmax",
    claim:
      "The baseline: an argmax has no gradient, so training with it alone stays where it began: near the 0.21 of reading any slot.",
    thresholds: [{ metric: "accuracy", atMost: 0.3 }],
  },
];

/** Soft attention's accuracy, measured once for all of them. */
let soft: Promise<number> | undefined;

async function softAccuracy(onProgress: (share: number) => void): Promise<number> {
  const { trainLookup } = await import("./lookup.ts");
  soft ??= trainLookup({ choice: "soft", onProgress }).then(({ accuracy }) => accuracy);
  return soft;
}

/** What is claimed of hard attention. */
export const discreteClaims: readonly Claim[] = LOOKUPS.map(({ variant, choice, claim, thresholds }) => ({
  name: `lookup/${variant}`,
  claim,
  thresholds,
  quick: true,
  async measure(onProgress) {
    const { trainLookup } = await import("./lookup.ts");
    const compared = await softAccuracy(part(onProgress, 0, 2));
    const { accuracy } = await trainLookup({ choice, onProgress: part(onProgress, 1, 2) });
    return { accuracy, ofSoft: accuracy / compared, soft: compared };
  },
}));
