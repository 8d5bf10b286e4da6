/** TensorFlow.js' layers of convolution and pooling, which have the channels last, as ONNX has them second. */
import { activationOf } from "../activations.ts";
import type { Value } from "../format/graph.ts";
import { transpose } from "../format/operations.ts";
import { type LayerRule, type LayerUse, type Made, unsayable } from "./call.ts";
import { normalized } from "./convolution.ts";

/** The axes between the batch and the channels. */
const inner = ({ inputs }: LayerUse): number[] => inputs[0]!.shape.slice(2).map((_, axis) => axis + 1);

/** What an operator makes of x with its channels second; masks do not reach behind it. */
function onChannels(use: LayerUse, act: (x: Value) => Value): Made {
  const { graph, inputs, config, op } = use;
  if (config.dataFormat === "channelsFirst")
    throw unsayable(op, 'in ONNX dataFormat must be "channelsLast"', '"channelsFirst"');
  const axes = inner(use);
  const last = axes.length + 1;
  const made = act(transpose(graph, inputs[0]!.value, [0, last, ...axes]));
  return { outputs: [transpose(graph, made, [0, ...axes.map((axis) => axis + 1), 1])], mask: null };
}

/** A field of one number for each axis. */
const each = (use: LayerUse, name: string, otherwise?: readonly number[]): number[] => {
  const given = (use.config[name] ?? otherwise ?? 1) as number | readonly number[];
  return typeof given === "number" ? inner(use).map(() => given) : [...given];
};

/** TensorFlow's "same" puts what is odd at the end. */
function paddingOf({ config, op }: LayerUse): { auto_pad: string } {
  if (config.padding === "same") return { auto_pad: "SAME_UPPER" };
  if (config.padding === "valid") return { auto_pad: "VALID" };
  throw unsayable(op, 'in ONNX padding must be "valid" or "same"', String(config.padding));
}

/** How the taps of a kernel of this size lie. With dilation there are no strides, and onnxruntime wants "same" in numbers. */
function tapsOf(
  use: LayerUse,
  size: readonly number[],
): Readonly<Record<string, string | readonly number[]>> {
  const [dilations, strides] = [each(use, "dilationRate"), each(use, "strides")];
  if (use.config.padding !== "same" || dilations.every((d) => d === 1))
    return { ...paddingOf(use), dilations, strides };
  const wide = size.map((n, axis) => dilations[axis]! * (n - 1));
  const pads = [...wide.map((n) => Math.floor(n / 2)), ...wide.map((n) => Math.ceil(n / 2))];
  return { pads, dilations, strides };
}

/** A convolution whose kernel [size…, I, O] is [O, I, size…] in ONNX, with its bias and activation. */
function convolution(use: LayerUse, kernel: Value, size: readonly number[], group = 1): Made {
  const { graph, config, op } = use;
  const attributes = { ...tapsOf(use, size), group };
  const inputs = use.has("bias") ? [kernel, use.weight("bias")] : [kernel];
  const activate = activationOf(op, config.activation);
  return onChannels(use, (x) => activate(graph, graph.op("Conv", [x, ...inputs], attributes)));
}

export const convolutionRule: LayerRule = (use) => {
  const rank = inner(use).length;
  const order = [rank + 1, rank, ...Array.from({ length: rank }, (_, axis) => axis)];
  const size = use.shapeOf("kernel").slice(0, rank);
  return convolution(use, transpose(use.graph, use.weight("kernel"), order), size);
};

export const depthwiseRule: LayerRule = (use) => {
  const [height, width, C, multiplier] = use.shapeOf("depthwise_kernel") as [number, number, number, number];
  const kernel = use.weight("depthwise_kernel", [height, width, 1, C * multiplier]);
  return convolution(use, transpose(use.graph, kernel, [3, 2, 0, 1]), [height, width], C);
};

const pooled =
  (type: string): LayerRule =>
  (use) => {
    const size = each(use, "poolSize");
    const attributes = { ...paddingOf(use), kernel_shape: size, strides: each(use, "strides", size) };
    return onChannels(use, (x) => use.graph.op(type, [x], attributes));
  };

export const maxPoolingRule = pooled("MaxPool");
export const meanPoolingRule = pooled("AveragePool");

const pooledWhole =
  (type: string): LayerRule =>
  (use) => {
    const { graph, inputs } = use;
    return {
      outputs: [graph.op(type, [inputs[0]!.value, graph.ints(inner(use))], { keepdims: 0 })],
      mask: null,
    };
  };

export const averageWholeRule = pooledWhole("ReduceMean");
export const maximumWholeRule = pooledWhole("ReduceMax");

export const batchNormRule: LayerRule = (use) => {
  const { config, inputs, op } = use;
  const { value, shape } = inputs[0]!;
  const axis = config.axis as number;
  if (axis !== -1 && axis !== shape.length - 1) throw unsayable(op, "in ONNX axis must be the last", axis);
  return normalized(use, "", value);
};

export const zeroPaddingRule: LayerRule = ({ graph, config, inputs, op }) => {
  if (config.dataFormat === "channelsFirst")
    throw unsayable(op, 'in ONNX dataFormat must be "channelsLast"', '"channelsFirst"');
  const [[top, bottom], [left, right]] = config.padding as [[number, number], [number, number]];
  const pads = graph.ints([0, top, left, 0, 0, bottom, right, 0]);
  return { outputs: [graph.op("Pad", [inputs[0]!.value, pads, graph.number(0)])], mask: null };
};
