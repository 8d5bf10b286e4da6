import type { Value } from "../format/graph.ts";
import { transpose } from "../format/operations.ts";
import { type LayerUse, linear } from "./call.ts";

/**
 * γ ⊙ (x − mean) / √(variance + ε) + β by the averages that training kept, weights whose names begin with `prefix`; x itself in a
 * layer without this norm.
 */
export function normalized(use: LayerUse, prefix: string, x: Value): Value {
  const { graph, config, name } = use;
  if (!use.has(`${prefix}moving_mean`)) return x;
  const [C] = use.shapeOf(`${prefix}moving_mean`) as [number];
  const values = (weight: string) => use.values(`${prefix}${weight}`);
  const scale = () => {
    const factors = values("moving_variance").map((one) => 1 / Math.sqrt(one + (config.epsilon as number)));
    if (!use.has(`${prefix}gamma`)) return factors;
    const gamma = values("gamma");
    return factors.map((factor, c) => factor * gamma[c]!);
  };
  const shift = () => {
    const [mean, factors] = [values("moving_mean"), scale()];
    const beta = use.has(`${prefix}beta`) ? values("beta") : new Float32Array(C);
    return beta.map((offset, c) => offset - mean[c]! * factors[c]!);
  };
  const scaled = graph.op("Mul", [x, graph.weight(`${name}/${prefix}scale`, [C], scale)]);
  return graph.op("Add", [scaled, graph.weight(`${name}/${prefix}shift`, [C], shift)]);
}

/**
 * A convolution of images [B, H, W, I] that keeps their height and width: zeros around them, then its bias. Its weights
 * `kernel` are [height, width, I, O] in TensorFlow, [O, I, height, width] in ONNX.
 */
export function convolve(use: LayerUse, name: string, x: Value, dilation = 1): Value {
  const { graph } = use;
  const [height, width, I, O] = use.shapeOf(`${name}/kernel`) as [number, number, number, number];
  if (height * width === 1) return linear(use, name, x, O);
  const kernel = graph.weight(`${use.name}/${name}/kernel`, [O, I, height, width], () => {
    const values = use.values(`${name}/kernel`);
    const taps = height * width;
    return values.map(
      (_, n) => values[((n % taps) * I + (Math.floor(n / taps) % I)) * O + Math.floor(n / (taps * I))]!,
    );
  });
  const [top, left] = [(dilation * (height - 1)) / 2, (dilation * (width - 1)) / 2];
  const attributes = { dilations: [dilation, dilation], pads: [top, left, top, left] };
  const images = graph.op("Conv", [transpose(graph, x, [0, 3, 1, 2]), kernel], attributes);
  const output = transpose(graph, images, [0, 2, 3, 1]);
  return use.has(`${name}/bias`) ? graph.op("Add", [output, use.weight(`${name}/bias`)]) : output;
}
