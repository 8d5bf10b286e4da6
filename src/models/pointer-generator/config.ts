import { checkCount } from "../../core/check-options.ts";
import { fieldCheck } from "../seq2seq/config.ts";

const OP = "PointerGenerator";
const CELLS = ["gru", "lstm"] as const;

/** A recurrent encoder–decoder that can copy words of its source. */
export interface PointerGeneratorConfig {
  /** V, the words of the vocabulary, the four special ones included. Sources and targets share it. */
  vocabulary: number;
  /** E, width of the embedding. */
  embedding: number;
  /** Width of the encoder state, per direction; H = 2·encoder is the width of what is attended to. */
  encoder: number;
  /** D, width of the decoder state. */
  decoder: number;
  /** A, width of the hidden layer of the score. */
  attention: number;
  cell: (typeof CELLS)[number];
  /** Whether words can be copied. Without it p_gen is 1: the baseline, which writes words of the vocabulary alone. */
  pointer: boolean;
  /** Whether the score reads the coverage. */
  coverage: boolean;
  /** Whether the last context is an input of the decoder, as in the authors' program; in the paper's formulas it is none. */
  inputFeeding: boolean;
  /** Share of units dropped in training: of embeddings, encoder states and of what predicts a word. */
  dropout: number;
}

/** The sizes of the paper, in which V is 50,000 and nothing is dropped. */
export const DEFAULT_POINTER_GENERATOR: Omit<PointerGeneratorConfig, "vocabulary"> = {
  embedding: 128,
  encoder: 256,
  decoder: 256,
  attention: 512,
  cell: "lstm",
  pointer: true,
  coverage: true,
  inputFeeding: true,
  dropout: 0,
};

const SIZES = ["vocabulary", "embedding", "encoder", "decoder", "attention"] as const;
const SWITCHES = ["pointer", "coverage", "inputFeeding"] as const;

/** Refuses a configuration that is not one. @throws OptionError OPTION */
export function checkPointerConfig(config: PointerGeneratorConfig): void {
  for (const name of SIZES) checkCount(OP, name, config[name], name === "vocabulary" ? 5 : 1);
  const given: Record<string, unknown> = { ...config };
  const must = fieldCheck(OP, given);
  must("cell", `one of ${CELLS.join(", ")}`, (CELLS as readonly unknown[]).includes(config.cell));
  for (const name of SWITCHES) must(name, "true or false", typeof config[name] === "boolean");
  const { dropout } = config;
  must("dropout", "a number from 0 to below 1", typeof dropout === "number" && dropout >= 0 && dropout < 1);
  const known: string[] = [...SIZES, "cell", ...SWITCHES, "dropout"];
  for (const name of Object.keys(given)) must(name, `one of ${known.join(", ")}`, known.includes(name));
}
