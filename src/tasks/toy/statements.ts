import type { Bar, Statement } from "../statement.ts";
import { idiomatic } from "./idiomatic.ts";
import type { ToyLanguage } from "./language.ts";
import { localSwap } from "./local-swap.ts";
import { reversal } from "./reversal.ts";
import type { ToyOptions, ToyResult } from "./train.ts";

const STEPS = 1200;

/** A run of `trainToy` as a statement: its figures, and the bars that they must keep. */
interface ToyStatement extends Pick<Statement, "row" | "statement" | "bars"> {
  variant: string;
  language: ToyLanguage;
  model: Omit<ToyOptions, "language">;
  quick?: boolean;
}

const LEARNT: readonly Bar[] = [
  { figure: "exact", atLeast: 0.95 },
  { figure: "alignment", atLeast: 0.9 },
];

const PERFECT: readonly Bar[] = [
  { figure: "exact", atLeast: 0.99 },
  { figure: "alignment", atLeast: 0.9 },
];
const IDIOM: Bar = { figure: "idiom", atLeast: 0.95 };

function toyStatement({ variant, language, model, quick = false, ...said }: ToyStatement): Statement {
  return {
    ...said,
    name: `${language.name}/${variant}`,
    quick,
    async run(onProgress) {
      const { trainToy } = await import("./train.ts");
      const onStep = (step: number) => onProgress(step / STEPS);
      return figuresOf(await trainToy({ ...model, language, steps: STEPS, onStep }));
    },
  };
}

function figuresOf({ exactByLength, exactIdiom, ...result }: ToyResult): Record<string, number> {
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

const swap = localSwap();
const reverse = reversal();
const idioms = idiomatic();

/** Row of docs/rows.json of each score. All of them are tried with the current state and with input feeding. */
const SCORES = { additive: 53, general: 57, dot: 57, scaledDot: 57, concat: 59, location: 59 } as const;
/** Scores of Luong's paper that get all but every sentence of local-swap right. */
const NEARLY_PERFECT: readonly string[] = ["general", "dot", "concat"];

const everyScore = [swap, reverse].flatMap((language) =>
  Object.entries(SCORES).map(([score, row]) =>
    toyStatement({
      variant: score,
      language,
      model: { score: score as keyof typeof SCORES },
      row,
      statement: `The ${score} score learns ${language.name}: new sentences come out right, each word looking at its source.`,
      bars: language === swap && NEARLY_PERFECT.includes(score) ? PERFECT : LEARNT,
      quick: language === swap && score === "general",
    }),
  ),
);

const variants: readonly ToyStatement[] = [
  {
    variant: "lstm",
    language: swap,
    model: { score: "general", cell: "lstm" },
    row: 53,
    statement: "An LSTM whose state is handed from the encoder to the decoder learns as the GRU does.",
    bars: LEARNT,
  },
  {
    variant: "no-input-feeding",
    language: swap,
    model: { score: "general", inputFeeding: false },
    row: 59,
    statement: "Input feeding is a choice: without it the model learns local-swap too.",
    bars: LEARNT,
  },
  ...[swap, reverse].map((language) => ({
    variant: "bahdanau",
    language,
    model: { score: "additive", style: "bahdanau" } as const,
    row: 56,
    statement: `Bahdanau's decoder, whose query is the previous state, learns ${language.name}.`,
    bars: LEARNT,
  })),
];

const idiomaticStatements: readonly ToyStatement[] = [
  ...(["luong", "bahdanau"] as const).map((style) => ({
    variant: style === "luong" ? "additive" : style,
    language: idioms,
    model: { score: "additive", style } as const,
    row: 65,
    statement: `The additive score in the style of ${style} learns reordering, words that double or vanish, and an idiom.`,
    bars: [...LEARNT, { figure: "aer", atMost: 0.1 }, IDIOM],
    quick: style === "luong",
  })),
  ...(["general", "dot"] as const).map((score) => ({
    variant: score,
    language: idioms,
    model: { score },
    row: 65,
    statement: `The ${score} score translates the idiomatic language; where it looks has no bar, for it may peak beside the word.`,
    bars: [LEARNT[0]!, IDIOM],
  })),
];

/** The baseline: its context is the mean state, whatever the query. The encoder's last state it has as well. */
const withoutAttention: readonly ToyStatement[] = [
  {
    language: swap,
    statement:
      "Without attention, at the same cost, short sentences of local-swap come out right and long ones do not.",
    bars: [
      { figure: "exact", atMost: 0.9 },
      { figure: "longest", atMost: 0.7 },
    ],
    quick: true,
  },
  {
    language: idioms,
    statement: "Without attention, at the same cost, long sentences of the idiomatic language suffer.",
    bars: [{ figure: "longest", atMost: 0.9 }],
  },
  {
    language: reverse,
    statement:
      "Shown beside the others, without a bar: a reversal of 4 to 9 words fits into the last state nearly as well.",
    bars: [],
  },
].map((one) => ({ ...one, variant: "no-attention", model: { score: "none" }, row: 15 }));

/** What `heed prove` runs of the toy languages. */
export const toyStatements: readonly Statement[] = [
  ...everyScore,
  ...[...variants, ...idiomaticStatements, ...withoutAttention].map(toyStatement),
];
