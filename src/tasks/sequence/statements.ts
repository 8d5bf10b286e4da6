import type { Statement } from "../statement.ts";

const STEPS = 400;

/** What `heed prove` runs of sequence attention. */
export const sequenceStatements: readonly Statement[] = [
  {
    name: "correspondence/cross-attention",
    row: 35,
    statement:
      "Cross-attention finds which word of another language a query means, told only what that word says.",
    bars: [{ figure: "alignment", atLeast: 0.99 }],
    quick: true,
    async run(onProgress) {
      const { learnCorrespondence } = await import("./correspondence.ts");
      const onStep = (step: number) => onProgress(step / STEPS);
      return { ...(await learnCorrespondence({ steps: STEPS, onStep })) };
    },
  },
  {
    name: "monotone/local-p",
    row: 58,
    statement:
      "Local-p learns from monotone data to stand where the answer is, told only what it should have read.",
    bars: [{ figure: "distance", atMost: 1 }],
    quick: true,
    async run(onProgress) {
      const { learnMonotone } = await import("./monotone.ts");
      const onStep = (step: number) => onProgress(step / STEPS);
      return { ...(await learnMonotone({ steps: STEPS, onStep })) };
    },
  },
];
