import { OptionError } from "../../core/errors.ts";

const SCORES = ["dot", "scaledDot", "general", "additive", "concat", "location", "none"] as const;
const CELLS = ["gru", "lstm"] as const;
const STYLES = ["luong", "bahdanau"] as const;

/** Which score the decoder attends with; `none` replaces attention by the mean encoder state (the baseline). */
export type ScoreName = (typeof SCORES)[number];

/**
 * A recurrent encoder–decoder with attention.
 *
 * `luong` (arxiv.org/abs/1508.04025): the *current* decoder state h_t is the query, and the attentional state
 * h̃_t = tanh(W_c[c_t; h_t]) predicts the word; with `inputFeeding` h̃_{t−1} joins the decoder's input.
 * `bahdanau` (arxiv.org/abs/1409.0473): the *previous* state s_{t−1} is the query, and the context c_t is an input
 * of the decoder's step; s_t and c_t predict the word.
 */
export interface Seq2SeqConfig {
  /** Number of source pieces, the four special ones included. */
  sourceVocabulary: number;
  /** Number of target pieces, the four special ones included. */
  targetVocabulary: number;
  /** Width of both embeddings. */
  embedding: number;
  /** Width of the encoder state, per direction; keys and values are twice as wide. */
  encoder: number;
  /** Width of the decoder state. */
  decoder: number;
  cell: (typeof CELLS)[number];
  style: (typeof STYLES)[number];
  score: ScoreName;
  /** Width of the hidden layer of the additive and concat scores. */
  attention: number;
  /** Longest source of the location score, in pieces. */
  maxSource: number;
  inputFeeding: boolean;
  /** Share of units dropped in training, on embeddings, encoder states and attentional states. */
  dropout: number;
  /** Predict with the target embedding instead of a matrix of its own (Press & Wolf, arxiv.org/abs/1608.05859). */
  tieEmbeddings: boolean;
}

export const DEFAULT_CONFIG: Omit<Seq2SeqConfig, "sourceVocabulary" | "targetVocabulary"> = {
  embedding: 256,
  encoder: 256,
  decoder: 512,
  cell: "gru",
  style: "luong",
  score: "general",
  attention: 256,
  maxSource: 64,
  inputFeeding: true,
  dropout: 0.2,
  tieEmbeddings: true,
};

const SIZES = [
  "sourceVocabulary",
  "targetVocabulary",
  "embedding",
  "encoder",
  "decoder",
  "attention",
  "maxSource",
];
const WORDS: Record<string, readonly string[]> = { cell: CELLS, style: STYLES, score: SCORES };
const SWITCHES = ["inputFeeding", "tieEmbeddings"];

/** Throws OPTION unless a field of a configuration is what it must be. */
export function fieldCheck(op: string, given: Readonly<Record<string, unknown>>) {
  return (name: string, rule: string, holds: boolean): void => {
    if (holds) return;
    const got = JSON.stringify(given[name]) ?? "nothing";
    const fault = { op, rule: `the configuration's ${name} must be ${rule}`, got };
    throw new OptionError("OPTION", { ...fault, remedy: "correct it", name });
  };
}

/** Refuses a configuration that is not one. @throws OptionError OPTION */
export function checkConfig(config: Seq2SeqConfig): void {
  const given: Record<string, unknown> = { ...config };
  const must = fieldCheck("Seq2Seq", given);
  for (const name of SIZES) {
    must(name, "a whole number from 1", Number.isInteger(given[name]) && (given[name] as number) >= 1);
  }
  for (const [name, words] of Object.entries(WORDS)) {
    must(name, `one of ${words.join(", ")}`, words.includes(given[name] as string));
  }
  for (const name of SWITCHES) must(name, "true or false", typeof given[name] === "boolean");
  must(
    "dropout",
    "a number from 0 to below 1",
    typeof given.dropout === "number" && given.dropout >= 0 && given.dropout < 1,
  );
  const known = [...SIZES, ...Object.keys(WORDS), ...SWITCHES, "dropout"];
  for (const name of Object.keys(given)) must(name, `one of ${known.join(", ")}`, known.includes(name));
}
