import type { Statement } from "../../statement.ts";
import type { Timed } from "./time.ts";

const SLOPE = 1.2;

/** Time between 512 and 4096 positions as a power of them. */
function timeStatement(name: Timed, title: string, { row = 96, logarithm = false } = {}): Statement {
  const growth = logarithm ? "n·log n" : "n";
  return {
    name: `linear/${name}`,
    row,
    statement: `The time of ${title} grows as ${growth} between 512 and 4096 positions, with gradients too.`,
    bars: [
      { figure: "slope", atMost: SLOPE },
      { figure: "gradientSlope", atMost: SLOPE },
    ],
    quick: true,
    async run(onProgress) {
      const { timeSlopes } = await import("./time.ts");
      return timeSlopes(name, logarithm, onProgress);
    },
  };
}

const LENGTHS = [512, 1024, 2048, 4096, 8192];
const COMPARED: readonly Timed[] = [
  ...(["linear", "linear-causal", "performer", "linformer", "nystrom"] as const),
  ...(["retention", "gated-delta", "lsh"] as const),
];

/** What `heed prove` runs of linear and approximate attention. */
export const efficientLinearStatements: readonly Statement[] = [
  timeStatement("linear", "linear attention"),
  timeStatement("linear-causal", "causal linear attention"),
  timeStatement("performer", "Performer"),
  timeStatement("linformer", "Linformer"),
  timeStatement("nystrom", "Nyströmformer"),
  timeStatement("gated-delta", "the gated delta rule"),
  timeStatement("retention", "retention"),
  timeStatement("lsh", "LSH attention", { row: 93, logarithm: true }),
  {
    name: "linear/lsh-recall",
    row: 93,
    statement: "LSH attention reads nine in ten of the 16 keys that matter most to a query, in 8 rounds.",
    bars: [
      { figure: "recall8", atLeast: 0.9 },
      { figure: "read8", atMost: 0.5 },
    ],
    quick: true,
    async run(onProgress) {
      const { lshRecall } = await import("./recall.ts");
      return lshRecall([1, 2, 4, 8], onProgress);
    },
  },
  {
    name: "linear/performer-error",
    row: 96,
    statement: "The error of Performer falls as 1/√m with the number m of its features.",
    bars: [
      { figure: "slope", atLeast: -0.7 },
      { figure: "slope", atMost: -0.3 },
    ],
    quick: true,
    async run(onProgress) {
      const { performerError } = await import("./performer-error.ts");
      return performerError(onProgress);
    },
  },
  {
    name: "linear/worth",
    row: 96,
    statement:
      "At 8192 positions every one is faster than softmax attention in one kernel, and trains faster.",
    bars: COMPARED.flatMap((name) => [
      { figure: `${name}-8192`, atLeast: 1 },
      { figure: `${name}-8192-gradients`, atLeast: 1 },
    ]),
    quick: false,
    async run(onProgress) {
      const { speedups } = await import("./time.ts");
      return speedups({ lengths: LENGTHS, rounds: 3, onProgress });
    },
  },
];
