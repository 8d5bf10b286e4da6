import type { ParameterSpecs } from "../parameters.ts";
import { cellSpecs, EMBEDDING, encoderSpecs, GATES } from "../seq2seq/parameters.ts";
import { checkPointerConfig, type PointerGeneratorConfig } from "./config.ts";

/** Names and shapes of every parameter of a model. @throws OptionError OPTION */
export function pointerGeneratorParameters(config: PointerGeneratorConfig): ParameterSpecs {
  checkPointerConfig(config);
  const { vocabulary: V, embedding: E, decoder: D, attention: A, cell } = config;
  const H = 2 * config.encoder;
  return {
    embedding: { shape: [V, E], start: EMBEDDING },
    ...encoderSpecs(config),
    ...cellSpecs("decoder", cell, E, D),
    ...(config.inputFeeding
      ? { "decoder/fed/kernel": { shape: [H, GATES[cell] * D], start: "glorot" as const } }
      : {}),
    "attention/states": { shape: [H, A], start: "glorot" },
    "attention/query": { shape: [D, A], start: "glorot" },
    "attention/bias": { shape: [A], start: "zeros" },
    "attention/v": { shape: [A], start: "glorot" },
    // From zero, so that a model with coverage begins as the one without: it can be turned on late.
    ...(config.coverage ? { "attention/coverage": { shape: [A], start: "zeros" as const } } : {}),
    ...(config.pointer
      ? {
          "pointer/kernel": { shape: [H + D + E, 1], start: "glorot" as const },
          "pointer/bias": { shape: [1], start: "zeros" as const },
        }
      : {}),
    "combine/kernel": { shape: [H + D, E], start: "glorot" },
    "combine/bias": { shape: [E], start: "zeros" },
    "output/bias": { shape: [V], start: "zeros" },
  };
}
