import { mostTokens } from "../models/transformer/config.ts";
import type { DescribedTensor, ModelDescription } from "../tasks/pretrained/describe-model.ts";

const MOST_NAMED = 8;

const count = (n: number): string => n.toLocaleString("en");

/** A number of bytes as people say it. */
export const size = (bytes: number): string =>
  bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;

/** A model before it is loaded, in lines. */
export function describedLines(described: ModelDescription, withTensors: boolean): string[] {
  const { format, modelType, parameters, config, memory, refusal, missing, tensors, beside } = described;
  const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  const loaded = tensors.filter((tensor) => tensor.loaded);
  const left = tensors.filter((tensor) => !tensor.loaded);
  return [
    `${modelType ?? "no model_type"}, ${format}: ${count(parameters)} parameters`,
    ...(config ? [`  ${shapeOf(config)}`] : []),
    `  ${count(tensors.length)} tensors, ${size(bytes)}: ${types(tensors)}`,
    ...(refusal === undefined
      ? [`  loads ${loaded.length}, leaves ${left.length}${left.length > 0 ? `: ${names(left)}` : ""}`]
      : [`  heed does not load it: ${refusal}`]),
    ...(missing.length > 0 ? [`  lacks ${missing.length}: ${list(missing)}`] : []),
    ...(memory ? [`  ${memoryLine(memory)}`] : []),
    `  beside the weights: ${beside.join(", ") || "nothing"}`,
    ...(withTensors ? tensors.map(tensorLine) : []),
  ];
}

function shapeOf(config: NonNullable<ModelDescription["config"]>): string {
  const { encoderLayers, decoderLayers, width, heads, keyValueHeads, inner, vocabulary, positions } = config;
  const layers = [
    ...(encoderLayers > 0 ? [`${encoderLayers} encoder layers`] : []),
    ...(decoderLayers > 0 ? [`${decoderLayers} decoder layers`] : []),
  ];
  const shared = keyValueHeads !== undefined && keyValueHeads !== heads;
  return [
    ...layers,
    `width ${width}`,
    `${heads} heads${shared ? ` over ${keyValueHeads} of keys and values` : ""}`,
    `inner ${inner}`,
    ...(vocabulary > 0 ? [`vocabulary ${count(vocabulary)}`] : []),
    positions.kind === "learned" ? `${mostTokens(config)} positions` : `${positions.kind} positions`,
  ].join(", ");
}

function types(tensors: readonly DescribedTensor[]): string {
  const counts = new Map<string, number>();
  for (const { dtype } of tensors) counts.set(dtype, (counts.get(dtype) ?? 0) + 1);
  return [...counts].map(([dtype, n]) => `${count(n)} ${dtype}`).join(", ") || "none";
}

function memoryLine({ resident, peak, free }: NonNullable<ModelDescription["memory"]>): string {
  const room = peak <= free ? "it fits" : "it does not fit";
  return `takes ${size(resident)} of memory, ${size(peak)} while it is loaded; ${size(free)} are free: ${room}`;
}

const list = (all: readonly string[]) =>
  all.slice(0, MOST_NAMED).join(", ") + (all.length > MOST_NAMED ? ", …" : "");

const names = (tensors: readonly DescribedTensor[]) => list(tensors.map(({ name }) => name));

const tensorLine = ({ name, dtype, shape, loaded }: DescribedTensor) =>
  `  ${name}  ${dtype} [${shape.join(", ")}]${loaded ? "" : "  left"}`;
