import { denseSpecs } from "../maps.ts";
import type { ParameterSpecs } from "../parameters.ts";
import { cellSpecs, EMBEDDING, GATES } from "../seq2seq/parameters.ts";
import { checkTellerConfig, type ShowAttendAndTellConfig } from "./config.ts";

/** Names and shapes of every parameter of a model. @throws OptionError OPTION */
export function showAttendAndTellParameters(config: ShowAttendAndTellConfig): ParameterSpecs {
  checkTellerConfig(config);
  const { vocabulary: V, annotation: D, embedding: m, decoder: n, attention: A } = config;
  return {
    embedding: { shape: [V, m], start: EMBEDDING },
    ...denseSpecs("initial/output", D, n),
    ...denseSpecs("initial/memory", D, n),
    ...cellSpecs("decoder", "lstm", m, n),
    "decoder/fed/kernel": { shape: [D, GATES.lstm * n], start: "glorot" },
    "attention/states": { shape: [D, A], start: "glorot" },
    "attention/query": { shape: [n, A], start: "glorot" },
    "attention/bias": { shape: [A], start: "zeros" },
    "attention/v": { shape: [A], start: "glorot" },
    ...denseSpecs("gate", n, 1),
    "deep/state/kernel": { shape: [n, m], start: "glorot" },
    "deep/context/kernel": { shape: [D, m], start: "glorot" },
    ...denseSpecs("output", m, V),
  };
}
