import type { ParameterSpec, ParameterSpecs } from "../parameters.ts";
import { checkConfig, type Seq2SeqConfig } from "./config.ts";

/** How an embedding begins. */
export const EMBEDDING = { normal: 0.1 };
/** Blocks of a cell's gates. */
export const GATES = { gru: 3, lstm: 4 } as const;

/** Parameters of a `Cell` of this name. */
export function cellSpecs(name: string, cell: Seq2SeqConfig["cell"], input: number, hidden: number) {
  const gates = GATES[cell] * hidden;
  return {
    [`${name}/input/kernel`]: { shape: [input, gates], start: "glorot" },
    [`${name}/input/bias`]: { shape: [gates], start: "zeros" },
    [`${name}/hidden/kernel`]: { shape: [hidden, gates], start: "glorot" },
    // The GRU needs a second bias: its reset gate multiplies (U·h + b), not U·h alone.
    ...(cell === "gru" ? { [`${name}/hidden/bias`]: { shape: [gates], start: "zeros" } } : {}),
  } satisfies ParameterSpecs;
}

function scoreSpecs(config: Seq2SeqConfig): ParameterSpecs {
  const { score, decoder: Dq, attention: A, maxSource } = config;
  const Dk = 2 * config.encoder;
  const matrix = (shape: number[]): ParameterSpec => ({ shape, start: "glorot" });
  switch (score) {
    case "general":
      return { "attention/w": matrix([Dq, Dk]) };
    case "additive":
      return { "attention/w1": matrix([Dk, A]), "attention/w2": matrix([Dq, A]), "attention/v": matrix([A]) };
    case "concat":
      return { "attention/w": matrix([Dq + Dk, A]), "attention/v": matrix([A]) };
    case "location":
      return { "attention/w": matrix([Dq, maxSource]) };
    case "dot":
    case "scaledDot":
      // These two compare vectors of one width, so the keys get a projection when the widths differ.
      return Dq === Dk ? {} : { "attention/keys": matrix([Dk, Dq]) };
    case "none":
      return {};
  }
}

/** Parameters of an `Encoder` and of its bridge to a decoder. */
export function encoderSpecs({
  cell,
  embedding: E,
  encoder: H,
  decoder: D,
}: Pick<Seq2SeqConfig, "cell" | "embedding" | "encoder" | "decoder">): ParameterSpecs {
  const state = cell === "lstm" ? 2 * D : D;
  return {
    ...cellSpecs("encoder/forward", cell, E, H),
    ...cellSpecs("encoder/backward", cell, E, H),
    "bridge/kernel": { shape: [2 * H, state], start: "glorot" },
    "bridge/bias": { shape: [state], start: "zeros" },
  };
}

/** Names and shapes of every parameter of a model. @throws OptionError OPTION */
export function parameterSpecs(config: Seq2SeqConfig): ParameterSpecs {
  checkConfig(config);
  const { embedding: E, encoder: H, decoder: D } = config;
  const memory = 2 * H;
  const fed = config.style === "bahdanau" ? memory : config.inputFeeding ? E : 0;
  return {
    "source/embedding": { shape: [config.sourceVocabulary, E], start: EMBEDDING },
    "target/embedding": { shape: [config.targetVocabulary, E], start: EMBEDDING },
    ...encoderSpecs(config),
    ...cellSpecs("decoder", config.cell, E, D),
    ...(fed > 0
      ? { "decoder/fed/kernel": { shape: [fed, GATES[config.cell] * D], start: "glorot" as const } }
      : {}),
    ...scoreSpecs(config),
    "combine/kernel": { shape: [memory + D, E], start: "glorot" },
    "combine/bias": { shape: [E], start: "zeros" },
    ...(config.tieEmbeddings
      ? {}
      : { "output/kernel": { shape: [config.targetVocabulary, E], start: "glorot" as const } }),
    "output/bias": { shape: [config.targetVocabulary], start: "zeros" },
  };
}
