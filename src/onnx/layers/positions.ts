/** heed's layers of norms and positions. */

import { type RopeScaling, ropeFrequencies } from "../../attention/position/rope-frequencies.ts";
import type { Value } from "../format/graph.ts";
import { range, sizeOf, transpose, unsqueeze } from "../format/operations.ts";
import { layerNorm, rmsNorm } from "../norm.ts";
import { rotate, rotateNeighbours, sinusoids, turns } from "../positions.ts";
import { type LayerRule, type LayerUse, unsayable } from "./call.ts";

/** Norms over the last axis. */
function lastAxis({ op, config, inputs }: LayerUse): void {
  const axes = [config.axis].flat() as number[];
  const last = inputs[0]!.shape.length - 1;
  if (axes.length === 1 && (axes[0] === -1 || axes[0] === last)) return;
  throw unsayable(op, "in ONNX axis must be the last", String(config.axis));
}

export const layerNormRule: LayerRule = (use) => {
  const { graph, config, inputs } = use;
  lastAxis(use);
  const C = inputs[0]!.shape.at(-1)!;
  const gamma = use.has("gamma") ? use.weight("gamma") : graph.floats(new Float32Array(C).fill(1));
  const beta = use.has("beta") ? { beta: use.weight("beta") } : {};
  return layerNorm(graph, inputs[0]!.value, { gamma, ...beta }, config.epsilon as number);
};

export const rmsNormRule: LayerRule = (use) => {
  lastAxis(use);
  return rmsNorm(use.graph, use.inputs[0]!.value, use.weight("scale"), use.config.epsilon as number);
};

/** 0 … N − 1 of an axis: int64 [1, N]. */
const places = ({ graph, inputs }: LayerUse, axis: number) =>
  range(graph, graph.ints([0]), sizeOf(graph, inputs[0]!.value, axis));

/** An encoding [1, T, C] for every example, added to x if wanted. */
function encoded({ graph, config, inputs }: LayerUse, encoding: Value): Value {
  const { value } = inputs[0]!;
  if (config.add) return graph.op("Add", [value, encoding]);
  return graph.op("Expand", [encoding, graph.op("Shape", [value])]);
}

export const positionEmbeddingRule: LayerRule = (use) =>
  encoded(use, use.graph.op("Gather", [use.weight("embeddings"), places(use, 1)]));

export const sinusoidsRule: LayerRule = (use) => {
  const C = use.inputs[0]!.shape.at(-1)!;
  const base = use.config.maxWavelength as number;
  return encoded(use, sinusoids(use.graph, places(use, 1), C, { order: "interleaved", base }));
};

export const rotaryRule: LayerRule = (use) => {
  const { graph, config, inputs } = use;
  const {
    maxWavelength: base,
    sequenceAxis,
    scalingFactor: factor,
    originalLength: original,
  } = config as Record<string, number>;
  const { value, shape } = inputs[0]!;
  const D = shape.at(-1)!;
  const width = (config.width as number | undefined) ?? D;
  const scaling = factor === 1 ? undefined : ({ type: config.scaling, factor, original } as RopeScaling);
  const { frequencies, magnitude } = ropeFrequencies(width, { base: base!, ...(scaling && { scaling }) });
  const name = `rotation of ${[base, width, factor, original, config.scaling].join()}`;
  const angles = turns(graph, places(use, sequenceAxis!), frequencies, { magnitude, name });
  const turn = config.pairs === "interleaved" ? rotateNeighbours : rotate;
  if (shape.length === 3) {
    const turned = turn(graph, unsqueeze(graph, value, 1), angles, D, width);
    return graph.op("Squeeze", [turned, graph.ints([1])]);
  }
  if (sequenceAxis === 2) return turn(graph, value, angles, D, width);
  const swap = (x: Value) => transpose(graph, x, [0, 2, 1, 3]);
  return swap(turn(graph, swap(value), angles, D, width));
};
