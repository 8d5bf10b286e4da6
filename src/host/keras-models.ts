import { serialization } from "@tensorflow/tfjs-core";
import { OptionError } from "../core/errors.ts";
import { isFirst } from "./first.ts";

type Make = serialization.FromConfigMethod<serialization.Serializable>;
type Json = serialization.ConfigDictValue;
type Config = serialization.ConfigDict;
/** An input of a node: the layer it comes from, which of its calls, which of that call's outputs, and options. */
type Reference = [layer: string, node: number, tensor: number, kwargs?: Config | null];

/** How Keras calls a layer: a static `kerasCall` of its class. */
interface KerasCall {
  /** The names of inputs in the order of the list that the layer takes here. */
  readonly inputs: readonly string[];
  /** Options of a call that are fields of the configuration here. */
  readonly fields: readonly string[];
}

const OP = "loadLayersModel";

/** What TensorFlow.js itself replays, or what says nothing. */
const DROPPED = new Set(["training", "name"]);

/**
 * Makes models load that call layers as Keras does, `mha(query, value=memory, use_causal_mask=True)`. Keras writes the
 * inputs beyond the first and the options of the call beside it, where TensorFlow.js forgets them: cross attention
 * silently becomes self-attention, and a causal mask is lost. Here the inputs become the list that the layer takes, and
 * the options go into its configuration, for every class with a static `kerasCall`.
 *
 * Done once, however often it is called.
 */
export function patchKerasModels(): void {
  if (!isFirst("kerasModels")) return;
  const map = serialization.SerializationMap.getMap().classNameMap;
  for (const className of ["Model", "Functional"]) {
    const [type, make] = map[className]!;
    const patched = (...[cls, config, ...rest]: Parameters<Make>) =>
      make(
        cls,
        patchTopology(config, (name) => callOf(map[name]?.[0])),
        ...rest,
      );
    map[className] = [type, patched];
  }
}

function callOf(type: unknown): KerasCall | undefined {
  return (type as { kerasCall?: KerasCall } | undefined)?.kerasCall;
}

/** The configuration of a functional model, in camelCase, with every node as TensorFlow.js reads it. */
export function patchTopology(model: Config, callOf: (className: string) => KerasCall | undefined): Config {
  const all = (model.layers ?? []) as Config[];
  const resolve = resolver(all.map(({ name }) => name as string));
  const patched = all.map((layer) => {
    const call = callOf(layer.className as string);
    const nodes = layer.inboundNodes as unknown as Reference[][] | undefined;
    if (!call || !nodes || nodes.length === 0) return layer;
    const read = nodes.map((node) => readNode(layer.name as string, node, call, resolve));
    const fields = read.map(({ fields }) => fields);
    const [first] = fields;
    if (fields.some((other) => JSON.stringify(other) !== JSON.stringify(first))) {
      const got = fields.map((other) => JSON.stringify(other)).join(" and ");
      throw new OptionError("CONFLICT", {
        op: OP,
        rule: `all calls of the shared layer ${layer.name} must have the same options`,
        got,
        remedy: "build that model with a layer for each",
      });
    }
    return {
      ...layer,
      config: { ...(layer.config as Config), ...first },
      inboundNodes: read.map(({ inputs }) => inputs) as unknown as Json,
    };
  });
  return { ...model, layers: patched };
}

function readNode(
  layer: string,
  node: Reference[],
  { inputs: names, fields }: KerasCall,
  resolve: (name: string) => string,
): { inputs: Reference[]; fields: Config } {
  const given = new Map<string, Reference>(
    node.map(([name, index, tensor], at) => [names[at]!, [name, index, tensor, {}]]),
  );
  const kwargs = Object.assign({}, ...node.map(([, , , options]) => options ?? {})) as Config;
  const taken: Config = {};
  for (const [key, value] of Object.entries(kwargs)) {
    if (value === null || value === false || DROPPED.has(key)) continue;
    if (fields.includes(key)) taken[key] = value;
    else if (names.includes(key) && Array.isArray(value) && typeof value[0] === "string") {
      const [name, index, tensor] = value as unknown as Reference;
      given.set(key, [resolve(name), index, tensor, {}]);
    } else {
      const known = [...names, ...fields];
      throw new OptionError("UNKNOWN", {
        op: OP,
        rule: `the call of ${layer} must be of ${known.join(", ")}`,
        got: `${key}=${JSON.stringify(value)}`,
        remedy: "build that model without it",
      });
    }
  }
  // A list has no holes: what is left out before the last is what it defaults to, the input before it.
  const last = Math.max(...names.map((name, at) => (given.has(name) ? at : 0)));
  const inputs: Reference[] = [];
  for (const name of names.slice(0, last + 1)) inputs.push(given.get(name) ?? inputs.at(-1)!);
  return { inputs, fields: taken };
}

/** TensorFlow.js has turned names within options, `input_2`, into `input2`; this finds the layer that is meant. */
function resolver(names: readonly string[]): (name: string) => string {
  const camel = (name: string) => name.replace(/_+(\w|$)/g, (_, letter: string) => letter.toUpperCase());
  return (given) => {
    const meant = names.includes(given) ? [given] : names.filter((name) => camel(name) === given);
    if (meant.length !== 1) {
      throw new OptionError("UNKNOWN", {
        op: OP,
        rule: "an input of a call must name one layer",
        got: `${given}, which means ${meant.length > 0 ? meant.join(" or ") : "none"}`,
        remedy: "rename the layers of that model",
      });
    }
    return meant[0]!;
  };
}
