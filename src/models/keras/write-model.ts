import { LayersModel, type layers, type SymbolicTensor } from "@tensorflow/tfjs-layers";
import { notWritten } from "./faults.ts";
import { SHARED_LAYERS, STOCK_LAYERS } from "./stock-layers.ts";
import { keptLayers, kerasClass } from "./variables.ts";
import { callOptions, isWritten, serialized } from "./write-layer.ts";

type Layer = layers.Layer;
type Config = Record<string, unknown>;

/** One call of a layer, as TensorFlow.js keeps it. */
interface Node {
  readonly inputTensors: SymbolicTensor[];
  readonly outputTensors: SymbolicTensor[];
}

const nodesOf = (layer: Layer) => layer.inboundNodes as unknown as Node[];
const nodesWithin = (model: LayersModel) =>
  (model as unknown as { containerNodes: Set<string> }).containerNodes;
const isSequential = (model: Layer) => model.getClassName() === "Sequential";

/** @throws OptionError UNSUPPORTED naming every layer that Keras 3 does not have */
export function checkWritten(model: LayersModel): void {
  const unknown = new Set<string>();
  const visit = (one: LayersModel) => {
    for (const layer of one.layers) {
      const name = kerasClass(layer);
      if (layer instanceof LayersModel) visit(layer);
      else if (name !== "InputLayer" && !isWritten(name)) unknown.add(name);
    }
  };
  visit(model);
  if (unknown.size === 0) return;
  const known = [...SHARED_LAYERS, ...STOCK_LAYERS.keys()].sort().join(", ");
  throw notWritten(
    `every layer must be one of ${known}`,
    [...unknown].sort().join(", "),
    "Keras 3 has no such layer; save it with model.save, for TensorFlow.js",
  );
}

/** A model as Keras 3's configuration. @throws OptionError UNSUPPORTED */
export function writtenModel(model: LayersModel): Config {
  return isSequential(model)
    ? { module: "keras", class_name: "Sequential", config: sequentialConfig(model), registered_name: null }
    : {
        module: "keras.src.models.functional",
        class_name: "Functional",
        config: functionalConfig(model),
        registered_name: "Functional",
      };
}

function sequentialConfig(model: LayersModel): Config {
  const input = {
    batch_shape: model.inputs[0]!.shape,
    dtype: model.inputs[0]!.dtype,
    name: `${model.name}_input`,
  };
  const first = { module: "keras.layers", class_name: "InputLayer", config: input, registered_name: null };
  const rest = keptLayers(model).map((layer) => {
    if (layer instanceof LayersModel) return writtenModel(layer);
    const isOurs = SHARED_LAYERS.includes(layer.getClassName());
    if (isOurs && !/Normalization$/.test(layer.getClassName()))
      throw notWritten(
        "an attention must be called with its inputs",
        `${layer.name} in a Sequential`,
        "build a functional model",
      );
    return serialized(layer);
  });
  return { name: model.name, trainable: true, dtype: "float32", layers: [first, ...rest] };
}

/** Where a tensor of a model comes from. */
interface Origin {
  readonly layer: string;
  readonly node: number;
  readonly output: number;
}

function functionalConfig(model: LayersModel): Config {
  const origins = new Map<number, Origin>();
  const calls = new Map<Layer, Node[]>();
  const within = nodesWithin(model);
  for (const layer of model.layers) {
    const kept = nodesOf(layer).filter((_, at) => within.has(`${layer.name}_ib-${at}`));
    calls.set(layer, kept);
    for (const [node, { outputTensors }] of kept.entries())
      for (const [output, tensor] of outputTensors.entries())
        origins.set(tensor.id, { layer: layer.name, node, output });
  }
  const place = (tensor: SymbolicTensor) => {
    const { layer, node, output } = origins.get(tensor.id)!;
    return [layer, node, output];
  };
  const written = (tensor: SymbolicTensor) => ({
    class_name: "__keras_tensor__",
    config: { shape: tensor.shape, dtype: tensor.dtype, keras_history: place(tensor) },
  });
  const placed = (tensors: SymbolicTensor[]) =>
    tensors.length === 1 ? place(tensors[0]!) : tensors.map(place);
  return {
    name: model.name,
    trainable: true,
    layers: model.layers.map((layer) => entry(layer, calls.get(layer)!, written)),
    input_layers: placed(model.inputs),
    output_layers: placed(model.outputs),
  };
}

type Written = (tensor: SymbolicTensor) => unknown;

function entry(layer: Layer, nodes: Node[], written: Written): Config {
  const { name } = layer;
  if (layer.getClassName() === "InputLayer") {
    const [tensor] = nodesOf(layer)[0]!.outputTensors;
    const config = { batch_shape: tensor!.shape, dtype: tensor!.dtype, sparse: false, name };
    const self = { module: "keras.layers", class_name: "InputLayer", config, registered_name: null };
    return { ...self, name, inbound_nodes: [] };
  }
  const self = layer instanceof LayersModel ? writtenModel(layer) : serialized(layer);
  return {
    ...self,
    name,
    inbound_nodes: nodes.map(({ inputTensors }) => call(layer, inputTensors.map(written))),
  };
}

/** A call with the arguments of Keras' layer of that class. */
function call(layer: Layer, tensors: unknown[]): Config {
  const className = kerasClass(layer);
  const kwargs = callOptions(layer);
  if (className === "Attention" || className === "AdditiveAttention")
    return { args: [tensors.length > 1 ? tensors : [tensors[0], tensors[0]]], kwargs };
  if (className === "MultiHeadAttention" || className === "GroupQueryAttention") {
    const [query, value = query, key, mask] = tensors;
    return {
      args: [query, value, ...(key ? [key] : [])],
      kwargs: { ...kwargs, ...(mask ? { attention_mask: mask } : {}) },
    };
  }
  const isRecurrent = ["LSTM", "GRU", "SimpleRNN", "Bidirectional"].includes(className);
  if (isRecurrent && tensors.length > 1)
    return { args: [tensors[0]], kwargs: { initial_state: tensors.slice(1) } };
  const isList = STOCK_LAYERS.get(className)?.takesList || tensors.length > 1;
  return { args: isList ? [tensors] : tensors, kwargs };
}
