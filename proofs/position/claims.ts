import type { Claim, Threshold } from "../claim.ts";
import type { OrderOptions, Positions } from "./order.ts";

interface OrderClaim {
  variant: string;
  model: Pick<OrderOptions, "positions" | "causal">;
  claim: string;
  thresholds: readonly Threshold[];
  quick?: boolean;
}

const ALWAYS_RIGHT = [{ metric: "accuracy", atLeast: 0.99 }];
/** The share of 2000 answers that chance gets right, 4 standard errors of 1.1 % around a half. */
const CHANCE = [{ metric: "accuracy", atLeast: 0.455, atMost: 0.545 }];

const ENCODINGS: readonly [variant: string, positions: Positions, encoding: string][] = [
  ["sinusoidal", "sinusoidal", "sinusoidal encodings"],
  ["learned", "learned", "learned encodings"],
  ["shaw", "shaw", "Shaw's relative keys and values"],
  ["relative-bias", "t5", "T5's relative bias"],
  ["rope", "rope", "rotary embedding"],
  ["rope-interleaved", "rope-interleaved", "rotary embedding of interleaved pairs"],
];

const ORDERS: readonly OrderClaim[] = [
  ...ENCODINGS.map(([variant, positions, encoding]) => ({
    variant,
    model: { positions },
    claim: `With ${encoding} self-attention tells which of two tokens comes first.`,
    thresholds: ALWAYS_RIGHT,
    quick: variant === "rope",
  })),
  {
    variant: "none",
    model: { positions: "none" },
    claim:
      "Without positions self-attention cannot tell which of two tokens comes first: it stays at chance.",
    thresholds: CHANCE,
    quick: true,
  },
  {
    variant: "alibi-symmetric",
    model: { positions: "alibi" },
    claim:
      "ALiBi that sees both ways knows distances and no direction, so that it stays at chance as well; causality adds it.",
    thresholds: CHANCE,
  },
  {
    variant: "alibi-causal",
    model: { positions: "alibi", causal: true },
    claim: "With causal ALiBi self-attention tells which of two tokens comes first.",
    thresholds: ALWAYS_RIGHT,
  },
];

/** What is claimed of positional encodings. */
export const positionClaims: readonly Claim[] = ORDERS.map(
  ({ variant, model, claim, thresholds, quick = false }) => ({
    name: `order/${variant}`,
    claim,
    thresholds,
    quick,
    async measure(onProgress) {
      const { trainOrder } = await import("./order.ts");
      return { accuracy: await trainOrder({ ...model, onProgress }) };
    },
  }),
);
