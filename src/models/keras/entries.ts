/** The entries of Keras 3's configurations: layers, models of layers, and the operations between them. */
import { isObject } from "../../core/is-object.ts";
import { malformed, notComputed } from "./faults.ts";
import { MASK_OPERATIONS, OPERATIONS, SHARED_LAYERS, STOCK_LAYERS } from "./stock-layers.ts";

type Config = Readonly<Record<string, unknown>>;

/** A layer as a configuration has it. */
export interface Entry {
  readonly module: string;
  readonly className: string;
  readonly name: string;
  readonly config: Config;
  /** Calls, in their order; empty in a `Sequential`. */
  readonly nodes: readonly unknown[];
}

export type Kind = "functional" | "sequential" | "operation" | "mask" | "input" | "layer";

/** The layer that holds a function of Python. */
const CODE = "Lambda";

/** @throws DataError FORMAT */
export function readEntry(given: unknown): Entry {
  if (!isObject(given) || typeof given.class_name !== "string" || !isObject(given.config))
    throw malformed("a layer must have class_name and config", given);
  const { class_name: className, config, module } = given;
  const name = given.name ?? config.name ?? className;
  if (typeof name !== "string" || name === "") throw malformed(`a name of ${className} must be a text`, name);
  const nodes = given.inbound_nodes ?? [];
  if (!Array.isArray(nodes)) throw malformed(`inbound_nodes of ${name} must be a list`, nodes);
  return { module: typeof module === "string" ? module : "", className, name, config, nodes };
}

/** What an entry is; undefined where heed has no such layer. */
export function kindOf({ module, className }: Entry): Kind | undefined {
  if (module !== "keras" && !module.startsWith("keras.")) return undefined;
  if (className === "Sequential") return "sequential";
  if (className === "Functional" || className === "Model") return "functional";
  if (module.includes(".ops")) {
    if (MASK_OPERATIONS.has(className)) return "mask";
    return OPERATIONS.has(className) ? "operation" : undefined;
  }
  if (className === "InputLayer") return "input";
  return STOCK_LAYERS.has(className) || SHARED_LAYERS.includes(className) ? "layer" : undefined;
}

/** The entries of a model. @throws DataError FORMAT */
export function entriesOf({ name, config }: Entry): Entry[] {
  const { layers } = config;
  if (!Array.isArray(layers)) throw malformed(`the model ${name} must have a list of layers`, layers);
  const entries = layers.map(readEntry);
  const names = new Set(entries.map((entry) => entry.name));
  if (names.size < entries.length)
    throw malformed(
      `the layers of ${name} must have names of their own`,
      entries.map((entry) => entry.name).join(", "),
    );
  return entries;
}

/** @throws DataError UNSUPPORTED naming every layer that heed does not have */
export function checkKnown(model: Entry): void {
  const unknown = new Set<string>();
  const waiting = [model];
  for (let entry = waiting.pop(); entry; entry = waiting.pop()) {
    const kind = kindOf(entry);
    if (!kind) unknown.add(entry.className);
    else if (kind === "functional" || kind === "sequential") waiting.push(...entriesOf(entry));
    const inner = ["layer", "backward_layer"].map((key) => entry.config[key]).filter(isObject);
    if (kind === "layer") waiting.push(...inner.map(readEntry));
  }
  if (unknown.size === 0) return;
  const known = [...SHARED_LAYERS, ...STOCK_LAYERS.keys()].sort();
  const code = unknown.has(CODE) ? "; a Lambda is code of Python, which is not run" : "";
  throw notComputed(
    `every layer must be one of ${known.join(", ")}, or ${[...OPERATIONS].join(", ")} of two tensors`,
    [...unknown].sort().join(", "),
    `build the model of these${code}`,
  );
}
