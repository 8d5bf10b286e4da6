/** heed's layers that weigh the channels and the pixels of images by what these hold. */
import { softmax } from "../attention.ts";
import type { Graph, Value } from "../format/graph.ts";
import { concat, reshape, sizeOf, transpose, unsqueeze } from "../format/operations.ts";
import { layerNorm } from "../norm.ts";
import { type LayerRule, type LayerUse, linear, type Made } from "./call.ts";
import { convolve, normalized } from "./convolution.ts";

const mean = (graph: Graph, x: Value, axes: readonly number[]) =>
  graph.op("ReduceMean", [x, graph.ints(axes)]);
const sigmoid = (graph: Graph, x: Value) => graph.op("Sigmoid", [x]);
const times = (graph: Graph, ...factors: Value[]) => factors.reduce((a, b) => graph.op("Mul", [a, b]));
const sum = (graph: Graph, ...terms: Value[]) => terms.reduce((a, b) => graph.op("Add", [a, b]));

/** W₂·relu(W₁z + b₁) + b₂ */
function bottleneck(use: LayerUse, z: Value, prefix = ""): Value {
  const hidden = use.graph.op("Relu", [linear(use, `${prefix}reduce`, z)]);
  return linear(use, `${prefix}expand`, hidden);
}

/** Mean and largest along one axis, side by side as the last: two numbers for each place of the others. */
function meanAndMax(graph: Graph, x: Value, axis: number): Value {
  const pooled = ["ReduceMean", "ReduceMax"].map((type) =>
    unsqueeze(graph, graph.op(type, [x, graph.ints([axis])], { keepdims: 0 }), 3),
  );
  return concat(graph, pooled, 3);
}

/** The output, and what it was multiplied by where that is wanted. */
const attended = ({ config }: LayerUse, output: Value, ...gates: Value[]): Made => ({
  outputs: config.returnAttention ? [output, ...gates] : [output],
});

export const squeezeExcitationRule: LayerRule = (use) => {
  const { graph, inputs } = use;
  const { value: x } = inputs[0]!;
  const gate = sigmoid(graph, bottleneck(use, mean(graph, x, [1, 2])));
  return attended(use, times(graph, x, gate), gate);
};

export const efficientChannelRule: LayerRule = (use) => {
  const { graph, inputs } = use;
  const { value: x } = inputs[0]!;
  const [k] = use.shapeOf("kernel") as [number];
  const means = graph.op("Squeeze", [mean(graph, x, [1, 2]), graph.ints([1])]);
  const side = (k - 1) / 2;
  const logits = graph.op("Conv", [means, use.weight("kernel", [1, 1, k])], { pads: [side, side] });
  const gate = sigmoid(graph, unsqueeze(graph, logits, 1));
  return attended(use, times(graph, x, gate), gate);
};

export const cbamRule: LayerRule = (use) => {
  const { graph, inputs } = use;
  const { value: x } = inputs[0]!;
  const largest = graph.op("ReduceMax", [x, graph.ints([1, 2])]);
  const gate = sigmoid(graph, sum(graph, bottleneck(use, mean(graph, x, [1, 2])), bottleneck(use, largest)));
  const weighed = times(graph, x, gate);
  const seen = convolve(use, "spatial", meanAndMax(graph, weighed, 3));
  const map = sigmoid(graph, normalized(use, "spatial/norm/", seen));
  return attended(use, times(graph, weighed, map), gate, map);
};

export const bamRule: LayerRule = (use) => {
  const { graph, config, inputs } = use;
  const { value: x } = inputs[0]!;
  const channels = normalized(use, "channel/norm/", bottleneck(use, mean(graph, x, [1, 2]), "channel/"));
  const names = Array.from({ length: config.convolutions as number }, (_, n) => `spatial/context_${n}`);
  const hidden = names.reduce<Value>(
    (y, name) => graph.op("Relu", [convolve(use, name, y, config.dilation as number)]),
    graph.op("Relu", [convolve(use, "spatial/reduce", x)]),
  );
  const pixels = normalized(use, "spatial/norm/", convolve(use, "spatial/project", hidden));
  const map = sigmoid(graph, sum(graph, channels, pixels));
  return attended(use, sum(graph, x, times(graph, x, map)), map);
};

export const coordinateRule: LayerRule = (use) => {
  const { graph, inputs } = use;
  const { value: x } = inputs[0]!;
  const strip = (axis: number) => graph.op("ReduceMean", [x, graph.ints([axis])], { keepdims: 0 });
  const narrow = normalized(
    use,
    "reduce/norm/",
    linear(use, "reduce", concat(graph, [strip(2), strip(1)], 1)),
  );
  const hswish = graph.op("HardSwish", [narrow]);
  const sizes = concat(graph, [sizeOf(graph, x, 1), sizeOf(graph, x, 2)], 0);
  const [rows, columns] = graph.ops("Split", [hswish, sizes], 2, { axis: 1 });
  const rowGate = sigmoid(graph, unsqueeze(graph, linear(use, "rows", rows!), 2));
  const columnGate = sigmoid(graph, unsqueeze(graph, linear(use, "columns", columns!), 1));
  return attended(use, times(graph, x, columnGate, rowGate), rowGate, columnGate);
};

export const tripletRule: LayerRule = (use) => {
  const { graph, inputs } = use;
  const { value: x } = inputs[0]!;
  const map = (name: string, axis: number) => {
    const seen = convolve(use, name, meanAndMax(graph, x, axis));
    return sigmoid(graph, normalized(use, `${name}/norm/`, seen));
  };
  const hw = map("hw", 3);
  const hc = transpose(graph, map("hc", 2), [0, 1, 3, 2]);
  const wc = transpose(graph, map("wc", 1), [0, 3, 1, 2]);
  const third = times(graph, sum(graph, hw, hc, wc), graph.number(1 / 3));
  return attended(use, times(graph, x, third), hw, hc, wc);
};

export const selectiveKernelRule: LayerRule = (use) => {
  const { graph, config, inputs } = use;
  const { value: x } = inputs[0]!;
  const dilations = config.dilations as number[];
  const fields = dilations.map((dilation, m) => {
    const seen = convolve(use, `branch_${m}`, x, dilation);
    return graph.op("Relu", [normalized(use, `branch_${m}/norm/`, seen)]);
  });
  const summary = graph.op("ReduceMean", [sum(graph, ...fields), graph.ints([1, 2])], { keepdims: 0 });
  const narrow = graph.op("Relu", [normalized(use, "reduce/norm/", linear(use, "reduce", summary))]);
  const logits = reshape(graph, linear(use, "select", narrow), [0, dilations.length, -1]);
  const weights = graph.op("Softmax", [logits], { axis: 1 });
  const share = (m: number) =>
    unsqueeze(graph, graph.op("Gather", [weights, graph.ints([m], [])], { axis: 1 }), 1, 2);
  const shares = fields.map((field, m) => times(graph, field, share(m)));
  return attended(use, sum(graph, ...shares), weights);
};

export const globalContextRule: LayerRule = (use) => {
  const { graph, config, inputs } = use;
  const { value: x, shape } = inputs[0]!;
  const C = shape[3]!;
  const pixels = reshape(graph, x, [0, -1, C]);
  const products = graph.op("MatMul", [pixels, use.weight("context/kernel", [C, 1])]);
  const weights = softmax(graph, transpose(graph, products, [0, 2, 1]));
  const context = unsqueeze(graph, graph.op("MatMul", [weights, pixels]), 1);
  const gammas = { gamma: use.weight("norm/gamma"), beta: use.weight("norm/beta") };
  const normal = layerNorm(graph, linear(use, "reduce", context), gammas, config.epsilon as number);
  const made = linear(use, "expand", graph.op("Relu", [normal]));
  const output = config.fusion === "add" ? sum(graph, x, made) : times(graph, x, sigmoid(graph, made));
  const whole = concat(graph, [graph.op("Shape", [x], { start: 0, end: 3 }), graph.ints([1])], 0);
  return attended(use, output, graph.op("Reshape", [weights, whole]));
};
