import type { layers } from "@tensorflow/tfjs-layers";
import { isObject } from "../../core/is-object.ts";
import { notWritten } from "./faults.ts";
import { writeActivation, writeObject } from "./objects.ts";
import { RESET_AFTER_ONLY, SHARED_LAYERS, STOCK_LAYERS } from "./stock-layers.ts";
import { kerasClass } from "./variables.ts";

type Config = Record<string, unknown>;

/** Keys that versions of Keras 3 do not all have: they are written where they say something. */
const RECENT: ReadonlySet<string> = new Set(["flash_attention", "rms_scaling", "sliding_window", "use_gate"]);
/** Keys of heed's layers that Keras takes when it calls them. */
const OURS: ReadonlySet<string> = new Set(["use_causal_mask", "return_attention_scores", "causal"]);
const OF_ANY = new Set(["name", "trainable", "dtype", "batch_input_shape", "input_dtype"]);
const OBJECT = /_(initializer|regularizer|constraint)$/;
const ACTIVATION = /(^|_)activation$/;

/** Whether Keras 3 has the class. */
export const isWritten = (className: string) =>
  STOCK_LAYERS.has(className) || SHARED_LAYERS.includes(className);

const snakeKey = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const snake = (value: unknown): unknown => {
  if (typeof value === "string") return snakeKey(value);
  if (Array.isArray(value)) return value.map(snake);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    // A class keeps its name.
    Object.entries(value).map(([key, entry]) => [snakeKey(key), key === "className" ? entry : snake(entry)]),
  );
};

/** The configuration of a layer, as Keras 3 reads it. @throws OptionError UNSUPPORTED */
function writtenConfig(layer: layers.Layer): Config {
  const className = kerasClass(layer);
  const stock = STOCK_LAYERS.get(className);
  const given: Config = { ...layer.getConfig() };
  if (className !== layer.getClassName()) Object.assign(given, RESET_AFTER_ONLY, { resetAfter: true });
  const names = new Map(Object.entries(stock?.renamed ?? {}).map(([theirs, ours]) => [ours, theirs]));
  const out: Config = { name: layer.name, trainable: layer.trainable, dtype: "float32" };
  for (const [key, value] of Object.entries(given)) {
    const theirs = names.get(key) ?? snakeKey(key);
    if (OF_ANY.has(theirs) || OURS.has(theirs) || value === undefined) continue;
    if (stock ? !stock.takes.includes(theirs) : RECENT.has(theirs) && (value === null || value === false))
      continue;
    out[theirs] = writtenValue(theirs, value);
  }
  const { layer: inner } = layer as unknown as { layer?: layers.Layer };
  if (className === "TimeDistributed") out.layer = serialized(inner!);
  if (className === "Bidirectional") Object.assign(out, bothWays(layer));
  return out;
}

function writtenValue(key: string, value: unknown): unknown {
  if (OBJECT.test(key)) return writeObject(key, snake(value));
  if (ACTIVATION.test(key)) return writeActivation(value as string);
  // TensorFlow.js makes null of the -1 for a size that follows from the others.
  if (key === "target_shape") return (value as (number | null)[]).map((n) => n ?? -1);
  return snake(value);
}

/** A layer without calls, which stands within another. @throws OptionError UNSUPPORTED */
export function serialized(layer: layers.Layer): Config {
  const className = kerasClass(layer);
  if (!isWritten(className))
    throw notWritten("a layer within another must be Keras'", className, "build the model without it");
  return {
    module: "keras.layers",
    class_name: className,
    config: writtenConfig(layer),
    registered_name: null,
  };
}

function bothWays(layer: layers.Layer): Config {
  const { forwardLayer, backwardLayer } = layer as unknown as Record<
    "forwardLayer" | "backwardLayer",
    layers.Layer
  >;
  return { layer: serialized(forwardLayer), backward_layer: serialized(backwardLayer) };
}

/** The options with which Keras calls a layer, which are fields of its configuration here. */
export function callOptions(layer: layers.Layer): Config {
  const { useCausalMask, causal, returnAttentionScores } = layer.getConfig() as Config;
  return {
    ...(useCausalMask || causal ? { use_causal_mask: true } : {}),
    ...(returnAttentionScores === true ? { return_attention_scores: true } : {}),
  };
}
