import { type Claim, part } from "../claim.ts";

const LENGTHS = [2, 10] as const;

/** A model that remembers, and the same one whose memory is emptied at every segment. */
function recall(name: "transformer-xl" | "compressive" | "memorizing", claim: string, steps: number): Claim {
  return {
    name: `recall/${name}`,
    claim,
    thresholds: [
      { metric: "far", atLeast: 0.95 },
      { metric: "farWithout", atMost: 0.2 },
      { metric: "nearWithout", atLeast: 0.9 },
    ],
    quick: false,
    async measure(onProgress) {
      const { MEMORIES, trainRecall } = await import("./recall.ts");
      const given = { memory: MEMORIES[name], layers: 1, steps };
      const { near, far } = await trainRecall({ ...given, onProgress: part(onProgress, 0, 2) });
      const without = await trainRecall({ ...given, carries: false, onProgress: part(onProgress, 1, 2) });
      return { far, near, farWithout: without.far, nearWithout: without.near };
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
      const { accuracy, firstHop } = await trainStories({ ...given, onProgress });
      return { accuracy, firstHop };
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
    ],
    quick: false,
    async measure(onProgress) {
      const { trainStories } = await import("./stories.ts");
      const given = { facts: 2, steps: 900, linearSteps: 350, lengths: LENGTHS } as const;
      const two = await trainStories({ ...given, hops: 2, onProgress: part(onProgress, 0, 2) });
      const one = await trainStories({ ...given, hops: 1, onProgress: part(onProgress, 1, 2) });
      return { ...two, oneHop: one.accuracy };
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
      return { ...(await trainCopy({ controller: "feedForward", steps: 800, onProgress })) };
    },
  },
  recall(
    "transformer-xl",
    "Transformer-XL names what it read ten windows before; without the memory of its states it guesses.",
    400,
  ),
  recall(
    "compressive",
    "A Compressive Transformer does, from a quarter of the slots, each the mean of four states that had to go.",
    500,
  ),
  recall(
    "memorizing",
    "A Memorizing Transformer does, from its four nearest keys of a past that no gradient reaches.",
    450,
  ),
  {
    name: "recall/persistent",
    claim:
      "Attention with persistent memory knows 1024 facts that stand in no text, learned in training; without it, it guesses.",
    thresholds: [
      { metric: "known", atLeast: 0.95 },
      { metric: "knownWithout", atMost: 0.2 },
    ],
    quick: true,
    async measure(onProgress) {
      const { trainFacts } = await import("./facts.ts");
      const known = await trainFacts({ slots: 128, onProgress: part(onProgress, 0, 2) });
      const knownWithout = await trainFacts({ slots: 0, onProgress: part(onProgress, 1, 2) });
      return { known, knownWithout };
    },
  },
];
