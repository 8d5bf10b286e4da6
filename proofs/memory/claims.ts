import { type Claim, part, SEEDS, worstOf } from "../claim.ts";

const LENGTHS = [2, 10] as const;
/** The most steps at one rate of what is compared, which ends before where it no longer gets better. */
const MOST_STEPS = 6000;

type Remembering = "transformer-xl" | "compressive" | "compressive-convolution" | "memorizing";

/** A model that remembers, and the same one whose memory is emptied at every segment. */
function recall(
  name: Remembering,
  claim: string,
  { steps, seeds = SEEDS, least = 0.95 }: { steps: number; seeds?: readonly number[]; least?: number },
): Claim {
  return {
    name: `recall/${name}`,
    claim,
    thresholds: [
      { metric: "far", atLeast: least },
      { metric: "farWithout", atMost: 0.2 },
      { metric: "nearWithout", atLeast: 0.9 },
    ],
    quick: false,
    async measure(onProgress) {
      const { MEMORIES, trainRecall } = await import("./recall.ts");
      const both = async (seed: number, report: (share: number) => void) => {
        const given = { memory: MEMORIES[name], layers: 1, steps, seed };
        const { near, far } = await trainRecall({ ...given, onProgress: part(report, 0, 2) });
        const without = await trainRecall({ ...given, carries: false, onProgress: part(report, 1, 2) });
        return { far, near, farWithout: without.far, nearWithout: without.near };
      };
      return worstOf(seeds, ["farWithout"], both, onProgress);
    },
  };
}

/** What is claimed of memories. */
export const memoryClaims: readonly Claim[] = [
  {
    name: "stories/one-fact",
    claim:
      "A memory network that reads a story once says where somebody is, and looked at the sentence that says so.",
    thresholds: [
      { metric: "accuracy", atLeast: 0.95 },
      { metric: "firstHop", atLeast: 0.9 },
    ],
    quick: true,
    async measure(onProgress) {
      const { trainStories } = await import("./stories.ts");
      const given = { facts: 1, hops: 1, steps: 300, lengths: LENGTHS } as const;
      const learn = async (seed: number, report: (share: number) => void) => {
        const { accuracy, firstHop } = await trainStories({ ...given, seed, onProgress: report });
        return { accuracy, firstHop };
      };
      return worstOf(SEEDS, [], learn, onProgress);
    },
  },
  {
    name: "stories/two-facts",
    claim:
      "In two hops it says where a thing is: the first finds who took it, the second where that one went last; one hop cannot.",
    thresholds: [
      { metric: "accuracy", atLeast: 0.95 },
      { metric: "firstHop", atLeast: 0.9 },
      { metric: "secondHop", atLeast: 0.9 },
      { metric: "oneHop", atMost: 0.7 },
      { metric: "oneHopSettled", atLeast: 1 },
    ],
    quick: false,
    async measure(onProgress) {
      const { trainStories } = await import("./stories.ts");
      const learn = async (seed: number, report: (share: number) => void) => {
        const given = { facts: 2, linearSteps: 350, lengths: LENGTHS, seed } as const;
        const two = await trainStories({ ...given, hops: 2, steps: 900, onProgress: part(report, 0, 2) });
        const one = await trainStories({
          ...{ ...given, hops: 1, steps: MOST_STEPS, untilSettled: true },
          onProgress: part(report, 1, 2),
        });
        const { accuracy, firstHop, secondHop } = two;
        const ofOne = { oneHop: one.accuracy, oneHopSteps: one.steps, oneHopSettled: Number(one.settled) };
        return { accuracy, firstHop, secondHop, ...ofOne };
      };
      return worstOf(SEEDS, ["oneHop"], learn, onProgress);
    },
  },
  {
    name: "copy/turing-machine",
    claim:
      "A Neural Turing Machine copies up to ten vectors of eight bits, and twenty, which it was never trained on.",
    thresholds: [
      { metric: "error10", atMost: 0.01 },
      { metric: "error20", atMost: 0.05 },
      { metric: "leak", atMost: 1e-5 },
    ],
    quick: false,
    async measure(onProgress) {
      const { trainCopy } = await import("./copy.ts");
      const learn = (seed: number, report: (share: number) => void) =>
        trainCopy({ controller: "feedForward", steps: 800, seed, onProgress: report });
      return worstOf(SEEDS, ["error10", "error20", "leak"], learn, onProgress);
    },
  },
  recall(
    "transformer-xl",
    "Transformer-XL names what it read ten windows before; without the memory of its states it guesses.",
    { steps: 400 },
  ),
  recall(
    "compressive",
    "A Compressive Transformer does, from a quarter of the slots, each the mean of four states that had to go.",
    { steps: 700 },
  ),
  recall(
    "compressive-convolution",
    "It recalls nine in ten with a convolution in place of the mean, which begins as the mean and learns from the attention-reconstruction loss alone.",
    { steps: 500, least: 0.9 },
  ),
  recall(
    "memorizing",
    "A Memorizing Transformer does, from its four nearest keys of a past that no gradient reaches.",
    { steps: 450 },
  ),
  {
    name: "recall/persistent",
    claim:
      "Attention with persistent memory knows 1024 facts that stand in no text, learned in training; without it, it guesses.",
    thresholds: [
      { metric: "known", atLeast: 0.95 },
      { metric: "knownWithout", atMost: 0.2 },
      { metric: "settledWithout", atLeast: 1 },
    ],
    quick: false,
    async measure(onProgress) {
      const { trainFacts } = await import("./facts.ts");
      const learn = async (seed: number, report: (share: number) => void) => {
        const { known } = await trainFacts({ slots: 128, seed, onProgress: part(report, 0, 2) });
        const without = await trainFacts({
          ...{ slots: 0, steps: MOST_STEPS, untilSettled: true, seed },
          onProgress: part(report, 1, 2),
        });
        const { known: knownWithout, steps: stepsWithout, settled } = without;
        return { known, knownWithout, stepsWithout, settledWithout: Number(settled) };
      };
      return worstOf(SEEDS, ["knownWithout"], learn, onProgress);
    },
  },
];
