import type { Statement } from "../statement.ts";

/** What `heed prove` runs of sparse attention. */
export const sparseStatements: readonly Statement[] = [
  {
    name: "sparse/lookup",
    row: 95,
    statement:
      "A lookup across 4096 positions, constructed and not trained: Longformer, BigBird and top-k answer as dense attention does, where a window alone is at chance.",
    bars: [
      { figure: "longformer", atLeast: 0.99 },
      { figure: "bigBird", atLeast: 0.99 },
      { figure: "topK", atLeast: 0.99 },
      // Of 64 answers chance gets one in 16 right; 4 standard errors of 3 % above it.
      { figure: "window", atMost: 0.2 },
    ],
    quick: true,
    async run(onProgress) {
      const { longRangeLookup } = await import("./lookup.ts");
      const figures = await longRangeLookup();
      onProgress(1);
      return figures;
    },
  },
  {
    name: "sparse/worth",
    row: 95,
    statement:
      "Time of sparse attention over that of dense attention, forward, two heads of 64: at 4096 positions a sixteenth of the blocks takes well under half of the time.",
    bars: [
      { figure: "blocks6@4096", atMost: 0.4 },
      { figure: "longformer@4096", atMost: 0.4 },
    ],
    quick: false,
    async run(onProgress) {
      const { measureWorth } = await import("./worth.ts");
      return measureWorth({ onProgress });
    },
  },
];
