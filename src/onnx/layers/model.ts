import type * as tf from "@tensorflow/tfjs-layers";
import { OptionError } from "../../core/errors.ts";
import { Graph } from "../format/graph.ts";
import type { DataType } from "../format/protos.ts";
import type { LayerUse, Wire } from "./call.ts";
import { ONNX_LAYERS, ruleOf } from "./table.ts";

type Layer = tf.layers.Layer;
type Symbol = tf.SymbolicTensor;

/** What of a model that is made of layers is read here. */
interface Container {
  readonly inputs: readonly Symbol[];
  readonly outputs: readonly Symbol[];
}

const TYPES: Readonly<Record<string, DataType>> = { float32: "float", int32: "int32", bool: "bool" };

const isContainer = (layer: Layer): layer is Layer & Container => "outputs" in layer && "layers" in layer;

/** A model of layers as one graph. Sizes that are not known get the names of their input and axis. */
export function layersGraph(model: tf.LayersModel, opset: number): Graph {
  const graph = new Graph(model.name, opset);
  const wires = model.inputs.map(({ sourceLayer, shape, dtype }) => {
    const { name } = sourceLayer;
    const sizes = shape.map((n, axis) => n ?? (axis === 0 ? "batch" : `${name}_${axis}`));
    const type = TYPES[dtype] ?? "float";
    return { value: graph.input(name, type, sizes), shape, type };
  });
  const outputs = run(graph, model as unknown as Container, wires);
  for (const [n, { value, shape, type }] of outputs.entries()) {
    const { name } = model.outputs[n]!.sourceLayer;
    const sizes = shape.map((size, axis) => size ?? (axis === 0 ? "batch" : `${name}_${n}_${axis}`));
    graph.output(outputName(model.outputs, n), value, type, sizes);
  }
  return graph;
}

/** The layer's name, with a number where it has several outputs. */
function outputName(outputs: readonly Symbol[], n: number): string {
  const { sourceLayer, tensorIndex } = outputs[n]!;
  const others = outputs.filter((other) => other.sourceLayer === sourceLayer);
  return others.length > 1 ? `${sourceLayer.name}.${tensorIndex}` : `${sourceLayer.name}.0`;
}

/** What a model gives for these inputs. */
function run(graph: Graph, model: Container, given: readonly Wire[]): Wire[] {
  const known = new Map<number, Wire>(model.inputs.map(({ id }, n) => [id, given[n]!]));
  const wireOf = (symbol: Symbol): Wire => {
    const before = known.get(symbol.id);
    if (before) return before;
    const { inputTensors, outputTensors } = symbol.sourceLayer.inboundNodes[symbol.nodeIndex]!;
    const made = apply(graph, symbol.sourceLayer, inputTensors.map(wireOf), outputTensors);
    for (const [n, { id }] of outputTensors.entries()) known.set(id, made[n]!);
    return known.get(symbol.id)!;
  };
  return model.outputs.map(wireOf);
}

/** One use of a layer. */
function apply(graph: Graph, layer: Layer, inputs: readonly Wire[], outputs: readonly Symbol[]): Wire[] {
  if (isContainer(layer)) return run(graph, layer, inputs);
  const op = layer.getClassName();
  const rule = ruleOf(op);
  if (!rule) {
    throw new OptionError("UNSUPPORTED", {
      op: "exportOnnx",
      rule: `a layer must be one of ${ONNX_LAYERS.join(", ")}`,
      got: `${op} (${layer.name})`,
      remedy: "export a model without it",
    });
  }
  const made = rule(useOf(graph, layer, inputs));
  const { outputs: values, mask = inputs[0]?.mask } = typeof made === "string" ? { outputs: [made] } : made;
  return outputs.map(({ shape, dtype }, n) => ({
    value: values[n]!,
    shape,
    type: TYPES[dtype] ?? "float",
    ...(n === 0 && mask && { mask }),
  }));
}

function useOf(graph: Graph, layer: Layer, inputs: readonly Wire[]): LayerUse {
  const within = (field: string, inputs: readonly Wire[]) =>
    useOf(graph, (layer as unknown as Readonly<Record<string, Layer>>)[field]!, inputs);
  const [op, config] = [layer.getClassName(), configOf(layer)];
  const { stepSeed: seed } = layer as { stepSeed?: number };
  return { graph, op, name: layer.name, inputs, config, seed, ...weightsOf(graph, layer), within };
}

/** The fields of heed's layers as they are; of others what they would save. */
function configOf(layer: Layer): Readonly<Record<string, unknown>> {
  const own = (layer as { config?: Readonly<Record<string, unknown>> }).config;
  return own ?? (layer.getConfig() as Record<string, unknown>);
}

/** The weights of a layer by the names that it gave them. */
function weightsOf(graph: Graph, layer: Layer): Pick<LayerUse, "has" | "shapeOf" | "values" | "weight"> {
  const prefix = `${layer.name}/`;
  const named = new Map(
    layer.weights.map((variable) => {
      const { originalName } = variable;
      // A layer within another has the name of that before its own.
      const at = originalName.indexOf(prefix);
      return [at >= 0 ? originalName.slice(at + prefix.length) : originalName, variable];
    }),
  );
  const shapeOf = (name: string) => named.get(name)!.shape as number[];
  const values = (name: string) => named.get(name)!.read().dataSync() as Float32Array;
  return {
    has: (name) => named.has(name),
    shapeOf,
    values,
    weight: (name, shape = shapeOf(name)) => graph.weight(`${prefix}${name}`, shape, () => values(name)),
  };
}
