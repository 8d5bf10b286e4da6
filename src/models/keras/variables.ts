/** Where Keras 3 keeps the variables of a model: by the classes of its layers, not by their names or order in the file. */
import { LayersModel, type LayerVariable, type layers } from "@tensorflow/tfjs-layers";
import { RESET_AFTER, SHARED_LAYERS } from "./stock-layers.ts";

type Layer = layers.Layer;
/** TensorFlow.js keeps these to itself. */
interface Wrapping {
  readonly layer: Layer;
  readonly forwardLayer: Layer;
  readonly backwardLayer: Layer;
}

/** The names of classes in Keras' code, where layers are exported under others. */
const CLASS_NAMES: Readonly<Record<string, string>> = {
  GroupQueryAttention: "GroupedQueryAttention",
  Model: "Functional",
};
/** How the dense layers within attentions are called, `query_dense`; the private ones have a bar in front. */
const DENSE_PREFIX: Readonly<Record<string, string>> = { MultiHeadAttention: "", GroupQueryAttention: "_" };
/** Keras' numbers of variables in a dense layer. */
const DENSE_VARIABLES: Readonly<Record<string, number>> = { kernel: 0, bias: 1 };
const RECURRENT: ReadonlySet<string> = new Set(["LSTM", "GRU", "SimpleRNN"]);

/** The class that a layer has in Keras' files. */
export function kerasClass(layer: Layer): string {
  const className = layer.getClassName();
  return className === RESET_AFTER ? "GRU" : className;
}

/** `keras.src.utils.naming.to_snake_case` */
function snakeCase(name: string): string {
  const parted = name.replace(/\W+/g, "").replace(/(.)([A-Z][a-z]+)/g, "$1_$2");
  return parted.replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase();
}

/** Paths of layers under that of their model: the second of a class is `dense_1`. */
function layerPaths(classNames: readonly string[]): string[] {
  const used = new Map<string, number>();
  return classNames.map((className) => {
    const name = snakeCase(Object.hasOwn(CLASS_NAMES, className) ? CLASS_NAMES[className]! : className);
    const count = used.get(name) ?? 0;
    used.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  });
}

/** A layer that a file has, with its path; the layers of a model in Keras' order are found by their names. */
export interface Placed {
  readonly path: string;
  readonly name: string;
  readonly layer: Layer;
}

/** The layers of a model in Keras' order: a `Sequential` does not count its input. */
export function keptLayers(model: LayersModel): Layer[] {
  const isInput = (layer: Layer) => layer.getClassName() === "InputLayer";
  return model.getClassName() === "Sequential"
    ? model.layers.filter((layer) => !isInput(layer))
    : model.layers;
}

/** Every layer below a model that may have variables of its own, by its path. */
export function placedLayers(
  model: LayersModel,
  orderOf: (model: LayersModel) => Layer[],
  prefix = "",
): Placed[] {
  const kept = orderOf(model);
  const paths = layerPaths(kept.map(kerasClass));
  return kept.flatMap((layer, at) => {
    const path = `${prefix}layers/${paths[at]}`;
    if (layer instanceof LayersModel)
      return [{ path, name: layer.name, layer }, ...placedLayers(layer, orderOf, `${path}/`)];
    return withinOf(layer, path);
  });
}

function withinOf(layer: Layer, path: string): Placed[] {
  const inner = layer as unknown as Wrapping;
  const own = { path, name: layer.name, layer };
  switch (layer.getClassName()) {
    case "Bidirectional":
      return [
        own,
        ...withinOf(inner.forwardLayer, `${path}/forward_layer`),
        ...withinOf(inner.backwardLayer, `${path}/backward_layer`),
      ];
    case "TimeDistributed":
      return [own, ...withinOf(inner.layer, `${path}/layer`)];
    default:
      return [own];
  }
}

/** The variables of one layer by their paths. */
export function variablesOf({ path, layer }: Placed): [path: string, variable: LayerVariable][] {
  const className = kerasClass(layer);
  if (layer instanceof LayersModel || className === "Bidirectional" || className === "TimeDistributed")
    return [];
  if (RECURRENT.has(className))
    return layer.weights.map((variable, n) => [`${path}/cell/vars/${n}`, variable]);
  const prefix = SHARED_LAYERS.includes(className) ? DENSE_PREFIX[className] : undefined;
  if (prefix === undefined) return layer.weights.map((variable, n) => [`${path}/vars/${n}`, variable]);
  return layer.weights.map((variable) => {
    // query/kernel, in Keras the variable 0 of the layer query_dense; attention_output is output_dense.
    const [dense, kind] = variable.originalName.split("/").slice(-2) as [string, string];
    const own = `${prefix}${dense === "attention_output" ? "output" : dense}_dense`;
    return [`${path}/${own}/vars/${DENSE_VARIABLES[kind]}`, variable];
  });
}
