import {
  input,
  type LayersModel,
  type layers,
  model,
  type Sequential,
  type SymbolicTensor,
  sequential,
} from "@tensorflow/tfjs-layers";
import { HeedError } from "../../core/errors.ts";
import { isObject } from "../../core/is-object.ts";
import type { LayerInput } from "../../layers/base/inputs.ts";
import { type Call, type KerasCall, type Place, placeOf, readCall } from "./calls.ts";
import { type Entry, entriesOf, kindOf } from "./entries.ts";
import { malformed, notComputed } from "./faults.ts";
import { masksOf } from "./masks.ts";
import { readType } from "./objects.ts";
import { classOf, readLayer } from "./read-layer.ts";

type Shape = (number | null)[];

/** A layer of a model with the calls that the model makes of it. */
interface Called {
  readonly entry: Entry;
  readonly calls: readonly Call[];
  readonly layer: layers.Layer;
  /** The outputs of each call that was made. */
  readonly outputs: SymbolicTensor[][];
}

/** What was made while a configuration was read. */
export interface Made {
  /** The layers of each model in the order of its configuration, by which Keras counts them. */
  readonly orders: Map<LayersModel, layers.Layer[]>;
  /** Layers that may have variables, which are let go of where the rest fails. */
  readonly layers: layers.Layer[];
}

/** A model of Keras' configuration, its weights as they begin. @throws DataError UNSUPPORTED, FORMAT */
export function readModel(entry: Entry, all: Made): LayersModel {
  try {
    return kindOf(entry) === "sequential" ? readSequential(entry, all) : readFunctional(entry, all);
  } catch (error) {
    if (error instanceof HeedError) throw error;
    throw malformed(`the model ${entry.name} must fit together`, (error as Error).message);
  }
}

function readSequential(entry: Entry, all: Made): Sequential {
  const entries = entriesOf(entry);
  const made = sequential({ name: entry.name });
  const [first] = entries;
  if (!first) throw malformed(`the model ${entry.name} must have layers`, "none");
  if (kindOf(first) === "layer") {
    const shape = entry.config.build_input_shape;
    if (!Array.isArray(shape))
      throw notComputed(
        `the model ${entry.name} must know its input`,
        "no Input and no build",
        "call it once, then save it",
      );
    made.add(inputLayer({ ...first, name: `${first.name}_input`, config: { batch_shape: shape } }));
  }
  const kept: layers.Layer[] = [];
  for (const one of entries) {
    const kind = kindOf(one);
    if (kind === "input") made.add(inputLayer(one));
    else {
      const layer = kind === "layer" ? keep(all, readLayer(one)) : readModel(one, all);
      kept.push(layer);
      made.add(layer);
    }
  }
  all.orders.set(made, kept);
  return made;
}

function keep(all: Made, layer: layers.Layer): layers.Layer {
  all.layers.push(layer);
  return layer;
}

const inputLayer = (entry: Entry) => tensorOfInput(entry).sourceLayer;

function tensorOfInput({ name, config }: Entry): SymbolicTensor {
  const { batch_shape: shape, dtype } = config;
  const isShape =
    Array.isArray(shape) && shape.every((n) => n === null || (Number.isSafeInteger(n) && n > 0));
  if (!isShape || shape.length === 0)
    throw malformed(`batch_shape of ${name} must be a list of sizes`, shape);
  if (config.sparse || config.ragged)
    throw notComputed(
      `the input ${name} must be dense`,
      config.sparse ? "sparse" : "ragged",
      "make it dense",
    );
  return input({ batchShape: shape as Shape, dtype: readType(dtype) as "float32", name });
}

function readFunctional(entry: Entry, all: Made): LayersModel {
  const listed = entriesOf(entry);
  const entries = listed.filter((one) => kindOf(one) !== "mask");
  const masks = masksOf(
    listed.filter((one) => kindOf(one) === "mask"),
    entries,
  );
  const called = new Map(entries.map((one) => [one.name, readCalled(one, masks, all)]));
  for (const one of inOrder(called)) apply(called, one);
  const tensors = (key: string) =>
    placesOf(entry.config[key]).map((place) => {
      const found = called.get(place.layer)?.outputs[place.node]?.[place.output];
      if (!found) throw malformed(`${key} of ${entry.name} must be tensors of it`, place.layer);
      return found;
    });
  const [inputs, outputs] = [tensors("input_layers"), tensors("output_layers")];
  const made = model({ inputs, outputs, name: entry.name });
  const kept = [...called.values()].filter((one) => kindOf(one.entry) !== "operation");
  all.orders.set(
    made,
    kept.map(({ layer }) => layer),
  );
  return made;
}

/** One place, a list of them, or places by name, which Keras takes in the order of the names. */
function placesOf(given: unknown): Place[] {
  if (isObject(given))
    return Object.keys(given)
      .sort()
      .flatMap((key) => placesOf(given[key]));
  if (!Array.isArray(given)) throw malformed("a model must have input_layers and output_layers", given);
  return typeof given[0] === "string" ? [placeOf(given)] : given.flatMap(placesOf);
}

function readCalled(entry: Entry, masks: ReadonlySet<string>, all: Made): Called {
  const kind = kindOf(entry)!;
  if (kind === "input") {
    const tensor = tensorOfInput(entry);
    return { entry, calls: [], layer: tensor.sourceLayer, outputs: [[tensor]] };
  }
  const known = kind === "layer" ? kerasCall(entry.className) : undefined;
  const calls = entry.nodes.map((node) => readCall(entry, node, known, masks));
  const [first] = calls;
  const other = calls.find(({ fields }) => JSON.stringify(fields) !== JSON.stringify(first!.fields));
  if (other) {
    const got = [first!, other].map(({ fields }) => JSON.stringify(fields)).join(" and ");
    throw notComputed(`all calls of ${entry.name} must have the same options`, got, "build a layer for each");
  }
  if (kind === "layer")
    return { entry, calls, layer: keep(all, readLayer(entry, first?.fields)), outputs: [] };
  if (kind !== "operation") return { entry, calls, layer: readModel(entry, all), outputs: [] };
  return { entry, calls, layer: readLayer({ ...entry, config: {} }), outputs: [] };
}

/** How Keras calls one of heed's layers; undefined for one of TensorFlow.js. */
function kerasCall(className: string): KerasCall | undefined {
  const { kerasCall: call, inputs } = classOf(className) as {
    kerasCall?: Omit<KerasCall, "least">;
    inputs?: readonly LayerInput[];
  };
  return call && { ...call, least: inputs!.filter(({ optional }) => !optional).length };
}

/** The calls in an order in which each has its inputs, and calls of one layer their own. @throws DataError FORMAT */
function inOrder(called: ReadonlyMap<string, Called>): { name: string; node: number }[] {
  const order: { name: string; node: number }[] = [];
  const state = new Map<string, "open" | "done">();
  const key = (name: string, node: number) => `${node} ${name}`;
  const needs = (name: string, node: number) => {
    const before = node > 0 ? [{ name, node: node - 1 }] : [];
    const inputs = called
      .get(name)!
      .calls[node]!.inputs.map((place) => ({ name: place.layer, node: place.node }));
    return [...before, ...inputs].filter((one) => called.get(one.name)?.entry.className !== "InputLayer");
  };
  for (const [name, { calls }] of called) {
    for (let node = 0; node < calls.length; node++) {
      const waiting = [{ name, node }];
      while (waiting.length > 0) {
        const top = waiting.at(-1)!;
        const id = key(top.name, top.node);
        if (state.get(id) === "done") {
          waiting.pop();
          continue;
        }
        if (!called.get(top.name)?.calls[top.node])
          throw malformed("a call must be of a layer of the model", `${top.name}, call ${top.node}`);
        const open = needs(top.name, top.node).filter((one) => state.get(key(one.name, one.node)) !== "done");
        if (open.length === 0) {
          state.set(id, "done");
          order.push(top);
          waiting.pop();
        } else {
          if (state.get(id) === "open")
            throw malformed("calls must not wait for each other", `${top.name} in a circle`);
          state.set(id, "open");
          waiting.push(...open);
        }
      }
    }
  }
  return order;
}

function apply(called: ReadonlyMap<string, Called>, { name, node }: { name: string; node: number }): void {
  const { layer, calls, outputs } = called.get(name)!;
  const inputs = calls[node]!.inputs.map((place) => {
    const found = called.get(place.layer)?.outputs[place.node]?.[place.output];
    if (!found)
      throw malformed(`an input of ${name} must be an output of ${place.layer}`, `output ${place.output}`);
    return found;
  });
  const made = layer.apply(inputs.length === 1 ? inputs[0]! : inputs) as SymbolicTensor | SymbolicTensor[];
  outputs.push(Array.isArray(made) ? made : [made]);
}
