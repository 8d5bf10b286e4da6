import { type Claim, part } from "../claim.ts";

const PENALTY = 0.02;

/** What is claimed of adaptive attention. */
export const adaptiveClaims: readonly Claim[] = [
  {
    name: "two-distances/adaptive-span",
    claim:
      "Learned spans differ by head as the distances to look back do, and shrink under the penalty, at no loss of accuracy.",
    thresholds: [
      { metric: "accuracy", atLeast: 0.98 },
      { metric: "lost", atMost: 0.02 },
      { metric: "shrunkTo", atMost: 0.6 },
      { metric: "ratio", atLeast: 2 },
    ],
    quick: true,
    async measure(onProgress) {
      const { trainTwoDistances } = await import("./two-distances.ts");
      const free = await trainTwoDistances({ penalty: 0, onProgress: part(onProgress, 0, 2) });
      const { accuracy, spans } = await trainTwoDistances({
        penalty: PENALTY,
        onProgress: part(onProgress, 1, 2),
      });
      const mean = (all: readonly number[]) => all.reduce((sum, z) => sum + z, 0) / all.length;
      const [short, long] = [Math.min(...spans), Math.max(...spans)];
      return {
        accuracy,
        lost: free.accuracy - accuracy,
        shrunkTo: mean(spans) / mean(free.spans),
        ratio: long / Math.max(short, 1),
        short,
        long,
      };
    },
  },
];
