import type { Statement } from "../statement.ts";
import type { Positions } from "./order.ts";

const STEPS = 300;

interface OrderStatement {
  variant: string;
  positions: Positions;
  statement: string;
  quick?: boolean;
}

const LEARNT: readonly OrderStatement[] = [
  {
    variant: "sinusoidal",
    positions: "sinusoidal",
    statement: "With sinusoidal encodings self-attention tells which of two tokens comes first.",
  },
  {
    variant: "learned",
    positions: "learned",
    statement: "With learned encodings self-attention tells which of two tokens comes first.",
  },
  {
    variant: "shaw",
    positions: "shaw",
    statement: "With Shaw's relative keys and values self-attention tells which of two tokens comes first.",
  },
  {
    variant: "relative-bias",
    positions: "t5",
    statement: "With T5's relative bias self-attention tells which of two tokens comes first.",
  },
  {
    variant: "rope",
    positions: "rope",
    statement: "With rotary embedding self-attention tells which of two tokens comes first.",
    quick: true,
  },
  {
    variant: "rope-interleaved",
    positions: "rope-interleaved",
    statement:
      "With rotary embedding of interleaved pairs self-attention tells which of two tokens comes first.",
  },
];

/** The share of 2000 answers that chance gets right, 4 standard errors of 1.1 % around a half. */
const CHANCE = [{ figure: "accuracy", atLeast: 0.455, atMost: 0.545 }] as const;

/** What `heed prove` runs of positional encodings. */
export const positionStatements: readonly Statement[] = [
  ...LEARNT.map((one) => ({ ...one, bars: [{ figure: "accuracy", atLeast: 0.99 }] })),
  {
    variant: "none",
    positions: "none" as const,
    statement:
      "Without positions self-attention cannot tell which of two tokens comes first: it stays at chance.",
    bars: CHANCE,
    quick: true,
  },
  {
    variant: "alibi-symmetric",
    positions: "alibi" as const,
    statement:
      "ALiBi that sees both ways knows distances and no direction, so that it stays at chance as well; causality adds it.",
    bars: CHANCE,
  },
  {
    variant: "alibi-causal",
    positions: "alibi" as const,
    causal: true,
    statement: "With causal ALiBi self-attention tells which of two tokens comes first.",
    bars: [{ figure: "accuracy", atLeast: 0.99 }],
  },
].map(({ variant, positions, bars, statement, ...rest }) => ({
  name: `order/${variant}`,
  row: 85,
  statement,
  bars,
  quick: "quick" in rest && rest.quick === true,
  async run(onProgress) {
    const { trainOrder } = await import("./order.ts");
    const onStep = (step: number) => onProgress(step / STEPS);
    return { accuracy: await trainOrder({ positions, steps: STEPS, onStep, causal: "causal" in rest }) };
  },
}));
