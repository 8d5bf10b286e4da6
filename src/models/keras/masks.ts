/**
 * The masks of Keras 3's configurations. Where an `Embedding` or a `Masking` hides positions, Keras writes how into the model, as
 * operations, and their result beside each call that heeds it. TensorFlow.js finds masks by itself, from the same layers.
 */
import { isObject } from "../../core/is-object.ts";
import type { Entry } from "./entries.ts";
import { notComputed } from "./faults.ts";

/** A tensor's layer, call and output, as one text. */
function historyOf(given: unknown): string | undefined {
  if (!isObject(given) || given.class_name !== "__keras_tensor__" || !isObject(given.config))
    return undefined;
  return JSON.stringify(given.config.keras_history);
}

const argsOf = (entry: Entry): readonly (readonly unknown[])[] =>
  entry.nodes.map((node) => (isObject(node) && Array.isArray(node.args) ? node.args : []));

/** The results of operations that say which positions are there, as texts. @throws DataError UNSUPPORTED */
export function masksOf(operations: readonly Entry[], layers: readonly Entry[]): ReadonlySet<string> {
  const hidden = new Map<string, unknown>();
  for (const layer of layers) {
    const isMasking = layer.className === "Masking";
    if (!isMasking && !(layer.className === "Embedding" && layer.config.mask_zero === true)) continue;
    const value = isMasking ? layer.config.mask_value : 0;
    for (const [input] of argsOf(layer)) hidden.set(historyOf(input) ?? "", value);
  }
  const found = new Set<string>();
  // `Any` is of what `NotEqual` gives.
  for (const entry of [...operations].sort((a, b) => b.className.localeCompare(a.className))) {
    for (const [node, [input, value]] of argsOf(entry).entries()) {
      const from = historyOf(input) ?? "";
      const isMask =
        entry.className === "Any" ? found.has(from) : hidden.has(from) && hidden.get(from) === value;
      if (!isMask)
        throw notComputed(
          "a comparison must be the mask of an Embedding or a Masking",
          entry.name,
          "build the model without it",
        );
      found.add(JSON.stringify([entry.name, node, 0]));
    }
  }
  return found;
}

/** Whether an option of a call is such masks, or lists of them. */
export function isMask(value: unknown, masks: ReadonlySet<string>): boolean {
  if (Array.isArray(value)) return value.every((one) => one === null || isMask(one, masks));
  return masks.has(historyOf(value) ?? "");
}
