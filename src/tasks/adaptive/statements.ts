import type { Statement } from "../statement.ts";

const PENALTY = 0.02;

/** What `heed prove` runs of adaptive attention. */
export const adaptiveStatements: readonly Statement[] = [
  {
    name: "two-distances/adaptive-span",
    row: 100,
    statement:
      "Learned spans differ by head as the distances to look back do, and shrink under the penalty, at no loss of accuracy.",
    bars: [
      { figure: "accuracy", atLeast: 0.98 },
      { figure: "lost", atMost: 0.02 },
      { figure: "shrunkTo", atMost: 0.6 },
      { figure: "ratio", atLeast: 2 },
    ],
    quick: true,
    async run(onProgress) {
      const { trainTwoDistances } = await import("./two-distances.ts");
      const steps = 400;
      const free = await trainTwoDistances({ penalty: 0, steps, onStep: (k) => onProgress(k / steps / 2) });
      const onStep = (k: number) => onProgress((1 + k / steps) / 2);
      const { accuracy, spans } = await trainTwoDistances({ penalty: PENALTY, steps, onStep });
      const mean = (all: readonly number[]) => all.reduce((sum, z) => sum + z, 0) / all.length;
      const [short, long] = [Math.min(...spans), Math.max(...spans)];
      return {
        accuracy,
        lost: free.accuracy - accuracy,
        shrunkTo: mean(spans) / mean(free.spans),
        ratio: long / Math.max(short, 1),
        ...{ short, long, free: mean(free.spans) },
      };
    },
  },
];
