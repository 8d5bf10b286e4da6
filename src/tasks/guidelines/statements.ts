import type { Statement } from "../statement.ts";
import { entropyAtStart } from "./score-scale.ts";

const WIDTHS = [16, 64, 256, 512];

/** What `heed prove` runs of the guidelines. */
export const guidelineStatements: readonly Statement[] = [
  {
    name: "guidelines/score-scale",
    row: 79,
    statement:
      "Scaled dot scores start with weights spread over the keys at any width; unscaled ones put all weight on one as the width grows.",
    bars: [
      { figure: "scaled16", atLeast: 0.85 },
      { figure: "scaled512", atLeast: 0.85 },
      { figure: "unscaled512", atMost: 0.1 },
    ],
    quick: true,
    async run(onProgress) {
      const figures: Record<string, number> = {};
      for (const [n, D] of WIDTHS.entries()) {
        figures[`scaled${D}`] = entropyAtStart(D, 1 / Math.sqrt(D));
        figures[`unscaled${D}`] = entropyAtStart(D, 1);
        onProgress((n + 1) / WIDTHS.length);
      }
      return figures;
    },
  },
];
