import type { Bar, Statement } from "../statement.ts";
import type { LookupChoice } from "./lookup.ts";

interface LookupStatement {
  variant: string;
  choice: LookupChoice;
  statement: string;
  bars: readonly Bar[];
}

/** Of soft attention's accuracy. */
const AS_GOOD: Bar = { figure: "ofSoft", atLeast: 0.95 };

function lookupStatement({ variant, choice, ...said }: LookupStatement): Statement {
  return {
    ...said,
    name: `lookup/${variant}`,
    row: 22,
    quick: true,
    async run(onProgress) {
      const { trainLookup } = await import("./lookup.ts");
      const steps = 400;
      const soft = await trainLookup({ choice: "soft", steps, onStep: (k) => onProgress(k / steps / 2) });
      const { accuracy } = await trainLookup({
        choice,
        steps,
        onStep: (k) => onProgress((1 + k / steps) / 2),
      });
      return { accuracy, ofSoft: accuracy / soft.accuracy, soft: soft.accuracy };
    },
  };
}

/** What `heed prove` runs of hard attention. */
export const discreteStatements: readonly Statement[] = (
  [
    {
      variant: "score-function",
      choice: "scoreFunction",
      statement:
        "Attention that reads one slot, drawn at random, learns by REINFORCE with a moving average as its baseline.",
      bars: [AS_GOOD],
    },
    {
      variant: "gumbel-softmax",
      choice: "gumbelSoftmax",
      statement:
        "Attention that reads one slot learns through Gumbel-softmax with straight-through gradients.",
      bars: [AS_GOOD],
    },
    {
      variant: "straight-through",
      choice: "straightThrough",
      statement:
        "Attention that reads one slot learns with the straight-through gradient of its drawn choice.",
      bars: [AS_GOOD],
    },
    {
      variant: "argmax",
      choice: "argmax",
      statement:
        "The baseline: an argmax has no gradient, so training with it alone stays where it began: near the 0.21 of reading any slot.",
      bars: [{ figure: "accuracy", atMost: 0.3 }],
    },
  ] as const satisfies readonly LookupStatement[]
).map(lookupStatement);
