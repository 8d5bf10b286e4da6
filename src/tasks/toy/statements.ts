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

const SCORES = ["additive", "general", "dot", "scaledDot", "concat", "location"] as const;
/** The row of docs/rows.json of each score's statements; all of them use the current state and input feeding. */
const ROW_OF_SCORE = { additive: 53, general: 57, dot: 57, scaledDot: 57, concat: 59, location: 59 } as const;

const everyScore = [swap, reverse].flatMap((language) =>
  SCORES.map((score) =>
    toyStatement({
      variant: score,
      language,
      model: { score },
      row: ROW_OF_SCORE[score],
      statement: `The ${score} score learns ${language.name}: new sentences come out right, each word looking at its source.`,
      bars: LEARNT,
      quick: language === swap && score === "general",
    }),
  ),
);

/** The baseline: its context is the mean state, whatever it is asked. The encoder's last state it has as well. */
function withoutAttention(language: ToyLanguage, statement: string, bars: readonly Bar[], quick = false) {
  return toyStatement({
    variant: "no-attention",
    language,
    model: { score: "none" },
    row: 15,
    statement,
    bars,
    quick,
  });
}

/** What `heed prove` runs of the toy languages. */
export const toyStatements: readonly Statement[] = [
  ...everyScore,
  ...[swap, reverse].map((language) =>
    toyStatement({
      variant: "bahdanau",
      language,
      model: { score: "additive", style: "bahdanau" },
      row: 56,
      statement: `Bahdanau's decoder, whose query is the previous state, learns ${language.name}.`,
      bars: LEARNT,
    }),
  ),
  toyStatement({
    variant: "lstm",
    language: swap,
    model: { score: "general", cell: "lstm" },
    row: 53,
    statement: "An LSTM whose state is handed from the encoder to the decoder learns as the GRU does.",
    bars: LEARNT,
  }),
  toyStatement({
    variant: "no-input-feeding",
    language: swap,
    model: { score: "general", inputFeeding: false },
    row: 59,
    statement: "Input feeding is a choice: without it the model learns local-swap too.",
    bars: LEARNT,
  }),
  ...(["general", "additive"] as const).map((score) =>
    toyStatement({
      variant: score,
      language: idioms,
      model: { score },
      row: 65,
      statement: `The ${score} score learns reordering, words that double or vanish, and an idiom.`,
      bars: [...LEARNT, { figure: "aer", atMost: 0.1 }, { figure: "idiom", atLeast: 0.95 }],
      quick: score === "general",
    }),
  ),
  withoutAttention(
    swap,
    "Without attention, at the same cost, short sentences of local-swap come out right and long ones do not.",
    [
      { figure: "exact", atMost: 0.9 },
      { figure: "longest", atMost: 0.7 },
    ],
    true,
  ),
  withoutAttention(idioms, "Without attention, at the same cost, the idiomatic language is not learnt.", [
    { figure: "exact", atMost: 0.9 },
  ]),
  withoutAttention(
    reverse,
    "Shown beside the others, without a bar: a reversal of 4 to 9 words fits into the last state nearly as well.",
    [],
  ),
];
