import { serialization } from "@tensorflow/tfjs-core";
import type { layers } from "@tensorflow/tfjs-layers";
import { isObject } from "../../core/is-object.ts";
import { camelCase } from "../../layers/base/objects.ts";
import { type Entry, readEntry } from "./entries.ts";
import { malformed, notComputed } from "./faults.ts";
import { readActivation, readObject, readType } from "./objects.ts";
import { RESET_AFTER, RESET_AFTER_ONLY, SILENT_KEYS, STOCK_LAYERS } from "./stock-layers.ts";

type Config = Readonly<Record<string, unknown>>;
type Make = serialization.FromConfigMethod<serialization.Serializable>;

const OBJECT = /_(initializer|regularizer|constraint)$/;
const ACTIVATION = /(^|_)activation$/;

/** Keys and texts as TensorFlow.js writes them, `channelsLast`. */
function camel(value: unknown): unknown {
  if (typeof value === "string") return camelCase(value);
  if (Array.isArray(value)) return value.map(camel);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [camelCase(key), camel(entry)]));
}

const saysNothing = (value: unknown) =>
  value === null || value === false || (typeof value === "object" && Object.keys(value).length === 0);

/** The class that TensorFlow.js or heed registered under a name. */
export function classOf(
  className: string,
): serialization.SerializableConstructor<serialization.Serializable> {
  const { classNameMap } = serialization.SerializationMap.getMap();
  return classNameMap[className]![0];
}

/** The configuration of a layer for its class here. @throws DataError UNSUPPORTED, FORMAT */
function layerConfig({ className, name, config }: Entry): Record<string, unknown> {
  const stock = STOCK_LAYERS.get(className);
  const out: Record<string, unknown> = {
    name,
    trainable: config.trainable !== false,
    dtype: readType(config.dtype),
  };
  for (const [key, value] of Object.entries(config)) {
    if (SILENT_KEYS.has(key)) continue;
    const only = stock?.only?.[key];
    if (only && !only.some((one) => JSON.stringify(one) === JSON.stringify(value))) {
      const rule = `${key} of ${className} must be ${only.map((one) => JSON.stringify(one)).join(" or ")}`;
      throw notComputed(rule, value, `make the layer ${name} so`);
    }
    if (stock && !stock.takes.includes(key)) {
      // The layers within another are read by themselves.
      if (saysNothing(value) || only || isWithin(className, key)) continue;
      throw notComputed(
        `${key} of ${className} must say nothing`,
        value,
        `make the layer ${name} without it`,
      );
    }
    out[camelCase(stock?.renamed?.[key] ?? key)] = readValue(key, value);
  }
  return out;
}

const isWithin = (className: string, key: string) =>
  (className === "Bidirectional" && (key === "layer" || key === "backward_layer")) ||
  (className === "TimeDistributed" && key === "layer");

function readValue(key: string, value: unknown): unknown {
  if (OBJECT.test(key)) return readObject(key, value, camel);
  if (ACTIVATION.test(key)) return readActivation(value);
  return camel(value);
}

/** A layer, without its calls. @throws DataError UNSUPPORTED, FORMAT */
export function readLayer(entry: Entry, fields: Config = {}): layers.Layer {
  const { className, config } = serialized(entry, fields);
  const { classNameMap } = serialization.SerializationMap.getMap();
  const [type, make] = classNameMap[className] as [
    serialization.SerializableConstructor<serialization.Serializable>,
    Make,
  ];
  return make(type, config as serialization.ConfigDict) as layers.Layer;
}

interface Serialized {
  readonly className: string;
  readonly config: Record<string, unknown>;
}

function serialized(entry: Entry, fields: Config = {}): Serialized {
  const { className } = entry;
  const config = { ...layerConfig(entry), ...fields };
  if (className === "GRU") return resettingAfter(entry.name, config);
  return { className, config: isWithin(className, "layer") ? { ...config, layer: within(entry) } : config };
}

/** A GRU of TensorFlow.js, or heed's. */
function resettingAfter(name: string, { resetAfter, ...config }: Record<string, unknown>): Serialized {
  if (resetAfter !== true) return { className: "GRU", config };
  for (const [key, value] of Object.entries(RESET_AFTER_ONLY)) {
    if (config[key] !== value)
      throw notComputed(
        `${key} of a GRU with reset_after must be ${JSON.stringify(value)}`,
        config[key],
        `make the layer ${name} so`,
      );
  }
  const kept = Object.entries(config).filter(([key]) => !(key in RESET_AFTER_ONLY));
  return { className: RESET_AFTER, config: Object.fromEntries(kept) };
}

/** The layer that another one repeats. */
function within({ className, config, name }: Entry): Serialized {
  const inner = readEntry(config.layer);
  if (!STOCK_LAYERS.has(inner.className) || inner.className === "Bidirectional")
    throw notComputed(
      `the layer within ${className} must be a single one`,
      inner.className,
      `unfold ${name}`,
    );
  if (className === "TimeDistributed") return serialized(inner);
  if (!["LSTM", "GRU", "SimpleRNN"].includes(inner.className))
    throw malformed(`the layer within ${name} must be recurrent`, inner.className);
  // In a Bidirectional, Keras always says it, and heed does so.
  const { zero_output_for_mask: _, name: __, ...said } = inner.config;
  const forward = { ...inner, config: said };
  if (config.backward_layer !== undefined) {
    const backward = readEntry(config.backward_layer);
    const { zero_output_for_mask: ___, name: ____, ...same } = backward.config;
    const turned = { ...same, go_backwards: said.go_backwards };
    const isMirror =
      backward.config.go_backwards !== said.go_backwards && backward.className === inner.className;
    const strip = (value: unknown) =>
      JSON.stringify(value, (key, v) => (key === "shared_object_id" ? undefined : v));
    if (!isMirror || strip(turned) !== strip(said))
      throw notComputed(
        `the backward layer of ${name} must be as the forward one`,
        backward.className,
        "build it so",
      );
  }
  const plainName = inner.name.replace(/^forward_/, "");
  return serialized({ ...forward, name: plainName });
}
