import type { Claim, Metrics, Threshold } from "../claim.ts";
import { idiomatic } from "./idiomatic.ts";
import type { ToyLanguage } from "./language.ts";
import { localSwap } from "./local-swap.ts";
import { reversal } from "./reversal.ts";
import type { ToyOptions, ToyResult } from "./train.ts";

const STEPS = 1200;

/** A run of `trainToy` as a claim. */
interface ToyClaim extends Pick<Claim, "claim" | "thresholds"> {
  variant: string;
  language: ToyLanguage;
  model: Omit<ToyOptions, "language">;
  quick?: boolean;
}

const ALIGNED: Threshold = { metric: "alignment", atLeast: 0.9 };
const LEARNT: readonly Threshold[] = [{ metric: "exact", atLeast: 0.95 }, ALIGNED];
const NEARLY_PERFECT: readonly Threshold[] = [{ metric: "exact", atLeast: 0.99 }, ALIGNED];
const IDIOM: Threshold = { metric: "idiom", atLeast: 0.95 };

const swap = localSwap();
const reverse = reversal();
const idioms = idiomatic();

/** All of them are tried with the decoder's current state and with input feeding. */
const SCORES = ["additive", "general", "dot", "scaledDot", "concat", "location"] as const;
/** Scores of Luong's paper that get all but every sentence of local-swap right. */
const LUONG: readonly string[] = ["general", "dot", "concat"];

const everyScore: readonly ToyClaim[] = [swap, reverse].flatMap((language) =>
  SCORES.map((score) => ({
    variant: score,
    language,
    model: { score },
    claim: `The ${score} score learns ${language.name}: new sentences come out right, each word looking at its source.`,
    thresholds: language === swap && LUONG.includes(score) ? NEARLY_PERFECT : LEARNT,
    quick: language === swap && score === "general",
  })),
);

const variants: readonly ToyClaim[] = [
  {
    variant: "lstm",
    language: swap,
    model: { score: "general", cell: "lstm" },
    claim: "An LSTM whose state is handed from the encoder to the decoder learns as the GRU does.",
    thresholds: LEARNT,
  },
  {
    variant: "no-input-feeding",
    language: swap,
    model: { score: "general", inputFeeding: false },
    claim: "Input feeding is a choice: without it the model learns local-swap too.",
    thresholds: LEARNT,
  },
  ...[swap, reverse].map((language) => ({
    variant: "bahdanau",
    language,
    model: { score: "additive", style: "bahdanau" } as const,
    claim: `Bahdanau's decoder, whose query is the previous state, learns ${language.name}.`,
    thresholds: LEARNT,
  })),
];

const idiomaticClaims: readonly ToyClaim[] = [
  ...(["luong", "bahdanau"] as const).map((style) => ({
    variant: style === "luong" ? "additive" : style,
    language: idioms,
    model: { score: "additive", style } as const,
    claim: `The additive score in the style of ${style} learns reordering, words that double or vanish, and an idiom.`,
    thresholds: [...LEARNT, { metric: "aer", atMost: 0.1 }, IDIOM],
    quick: style === "luong",
  })),
  ...(["general", "dot"] as const).map((score) => ({
    variant: score,
    language: idioms,
    model: { score },
    claim: `The ${score} score translates the idiomatic language; where it looks has no threshold, for it may peak beside the word.`,
    thresholds: [LEARNT[0]!, IDIOM],
  })),
];

/** The baseline: its context is the mean state, whatever the query. The encoder's last state it has as well. */
const withoutAttention: readonly ToyClaim[] = [
  {
    language: swap,
    claim:
      "Without attention, at the same cost, short sentences of local-swap come out right and long ones do not.",
    thresholds: [
      { metric: "exact", atMost: 0.9 },
      { metric: "longest", atMost: 0.7 },
    ],
    quick: true,
  },
  {
    language: idioms,
    claim: "Without attention, at the same cost, long sentences of the idiomatic language suffer.",
    thresholds: [{ metric: "longest", atMost: 0.9 }],
  },
  {
    language: reverse,
    claim:
      "Shown beside the others, without a threshold: a reversal of 4 to 9 words fits into the last state nearly as well.",
    thresholds: [],
  },
].map((one) => ({ ...one, variant: "no-attention", model: { score: "none" } }));

/** What is claimed of the toy languages. */
export const toyClaims: readonly Claim[] = [
  ...everyScore,
  ...variants,
  ...idiomaticClaims,
  ...withoutAttention,
].map(({ variant, language, model, claim, thresholds, quick = false }) => ({
  name: `${language.name}/${variant}`,
  claim,
  thresholds,
  quick,
  async measure(onProgress) {
    const { trainToy } = await import("./train.ts");
    const onStep = (step: number) => onProgress(step / STEPS);
    return metricsOf(await trainToy({ ...model, language, steps: STEPS, onStep }));
  },
}));

function metricsOf({ exactByLength, exactIdiom, ...result }: ToyResult): Metrics {
  const lengths = Object.keys(exactByLength).map(Number);
  return {
    exact: result.exact,
    alignment: result.alignmentAccuracy,
    aer: result.alignmentErrorRate,
    shortest: exactByLength[Math.min(...lengths)]!,
    longest: exactByLength[Math.max(...lengths)]!,
    beyond: result.exactLonger,
    ...(Number.isNaN(exactIdiom) ? {} : { idiom: exactIdiom }),
  };
}
