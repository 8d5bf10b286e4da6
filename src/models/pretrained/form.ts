import { DataError } from "../../core/errors.ts";
import type { FullConfig } from "../transformer/config.ts";
import type { Architecture, PublishedForm } from "./architecture.ts";
import { isLlama, llamaJson } from "./architectures/llama-json.ts";
import { ConfigJson } from "./config-json.ts";
import { architectureOf } from "./load.ts";

/** How one model is written: its names, its config.json, and what its tensors are called. */
export interface ModelForm extends PublishedForm {
  readonly architecture: Architecture;
  readonly json: Readonly<Record<string, unknown>>;
  /** What this model calls a published name: a model without a head has no prefix. */
  nameOf(name: string): string;
}

/**
 * @param given the config.json that the model was loaded with; without `model_type` where it came as GGUF or was made here,
 *   which only a Llama can be
 * @throws DataError UNSUPPORTED
 */
export function formOf(config: FullConfig, given: Readonly<Record<string, unknown>>): ModelForm {
  const isBare = given.model_type === undefined && isLlama(config);
  const full = isBare ? { ...llamaJson(config), ...given } : given;
  const architecture = architectureOf("writePretrained", full.model_type);
  const form = architecture.write(config, new ConfigJson(full));
  const { classes, head, pooler } = config;
  if (classes !== undefined && !pooler && !config.classToken) {
    throw new DataError("UNSUPPORTED", {
      op: "writePretrained",
      rule: `a classifier must read the pooler, as ${form.className} has it`,
      got: "a model without one",
      remedy: "add the classifier with withClassifier",
    });
  }
  const { prefix } = architecture;
  const isHeadless = classes === undefined && !head;
  return {
    ...form,
    architecture,
    json: { ...full, architectures: [form.className], ...form.entries, ...labelsOf(classes, full) },
    nameOf: (name) => (isHeadless && name.startsWith(prefix) ? name.slice(prefix.length) : name),
  };
}

/** The names of classes: those that are there, where they are as many. */
function labelsOf(
  classes: number | undefined,
  { id2label }: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  if (classes === undefined || Object.keys((id2label as object | undefined) ?? {}).length === classes)
    return {};
  const labels = Array.from({ length: classes }, (_, n) => [String(n), `LABEL_${n}`] as const);
  return {
    id2label: Object.fromEntries(labels),
    label2id: Object.fromEntries(labels.map(([n, label]) => [label, Number(n)])),
  };
}
