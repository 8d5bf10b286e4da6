/** heed's layers in which the pixels of an image, or the positions of anything, read one another. */
import { causalMask, HIDDEN, softmax } from "../attention.ts";
import type { Value } from "../format/graph.ts";
import { cast, concat, range, reshape, sizeOf, transpose, unsqueeze } from "../format/operations.ts";
import { type LayerRule, type LayerUse, linear, type Made } from "./call.ts";
import { weightsOf } from "./masked-attention.ts";

const attended = ({ config }: LayerUse, output: Value, weights: Value): Made => ({
  outputs: config.returnAttention ? [output, weights] : [output],
});

/** 0 … N − 1 along an axis of x: int64 [1, N]. */
const places = ({ graph }: LayerUse, x: Value, axis: number) =>
  range(graph, graph.ints([0]), sizeOf(graph, x, axis));

/** x [B, …, C] as a sequence [B, N, C]. */
const flat = ({ graph }: LayerUse, x: Value, C: number) => reshape(graph, x, [0, -1, C]);

/** A sequence [B, N, C] in the place of x [B, …, any width]. */
function placed({ graph }: LayerUse, y: Value, x: Value, C: number): Value {
  const positions = graph.op("Shape", [x], { start: 0, end: -1 });
  return graph.op("Reshape", [y, concat(graph, [positions, graph.ints([C])], 0)]);
}

export const axialRule: LayerRule = (use) => {
  const { graph, config, inputs } = use;
  const { value: x } = inputs[0]!;
  const H = config.numHeads as number;
  const [, all] = use.shapeOf("query/kernel") as [number, number];
  const [, allValues] = use.shapeOf("value/kernel") as [number, number];
  // Lines, heads and steps along the line: [B, line, heads, step, D].
  const isRow = config.axis === "width";
  const split = (name: string, width: number) =>
    transpose(
      graph,
      reshape(graph, linear(use, name, x), [0, 0, 0, H, width / H]),
      isRow ? [0, 1, 3, 2, 4] : [0, 2, 3, 1, 4],
    );
  const scaled = graph.op("Mul", [split("query", all), graph.number((all / H) ** -0.5)]);
  const keys = transpose(graph, split("key", all), [0, 1, 2, 4, 3]);
  const steps = places(use, x, isRow ? 2 : 1);
  const seen = config.useCausalMask ? causalMask(graph, { queries: steps, keys: steps }) : undefined;
  const weights = weightsOf(graph, graph.op("MatMul", [scaled, keys]), seen);
  const sums = graph.op("MatMul", [weights, split("value", allValues)]);
  const pixels = transpose(graph, sums, isRow ? [0, 1, 3, 2, 4] : [0, 3, 1, 2, 4]);
  return attended(use, linear(use, "output", reshape(graph, pixels, [0, 0, 0, allValues])), weights);
};

/** One round: what the pixels of x read in their row and column, and by which weights [B, H, W, H + W]. */
function cross(use: LayerUse, x: Value): { output: Value; weights: Value } {
  const { graph } = use;
  const turned = (y: Value) => transpose(graph, y, [0, 2, 1, 3]);
  const [q, k, v] = ["query", "key", "value"].map((name) => linear(use, name, x)) as [Value, Value, Value];
  const products = (a: Value, b: Value) => graph.op("MatMul", [a, transpose(graph, b, [0, 1, 3, 2])]);
  // The pixel itself belongs to its row alone.
  const line = places(use, x, 1);
  const itself = graph.op("Equal", [unsqueeze(graph, line, 1, 3), unsqueeze(graph, line, 1, 2)]);
  const ofColumns = graph.op("Where", [itself, graph.number(HIDDEN), products(turned(q), turned(k))]);
  const weights = softmax(graph, concat(graph, [turned(ofColumns), products(q, k)], 3));
  const sizes = concat(graph, [sizeOf(graph, x, 1), sizeOf(graph, x, 2)], 0);
  const [columns, rows] = graph.ops("Split", [weights, sizes], 2, { axis: 3 }) as [Value, Value];
  const down = turned(graph.op("MatMul", [turned(columns), turned(v)]));
  const read = graph.op("Add", [down, graph.op("MatMul", [rows, v])]);
  return { output: graph.op("Add", [x, graph.op("Mul", [read, use.weight("gamma")])]), weights };
}

export const crissCrossRule: LayerRule = (use) => {
  let made = cross(use, use.inputs[0]!.value);
  for (let n = 1; n < (use.config.recurrence as number); n++) made = cross(use, made.output);
  return attended(use, made.output, made.weights);
};

export const nonLocalRule: LayerRule = (use) => {
  const { graph, config, inputs } = use;
  const { value: x, shape } = inputs[0]!;
  const C = shape.at(-1)!;
  const positions = flat(use, x, C);
  const isPlain = config.kind === "gaussian";
  const [theta, phi] = ["theta", "phi"].map((name) =>
    isPlain ? positions : linear(use, name, positions),
  ) as [Value, Value];
  const across = (y: Value) => transpose(graph, y, [0, 2, 1]);
  const shares = (scores: Value) =>
    graph.op("Div", [scores, cast(graph, sizeOf(graph, positions, 1), "float")]);
  const weigh: Readonly<Record<string, () => Value>> = {
    dot: () => shares(graph.op("MatMul", [theta, across(phi)])),
    concatenation: () => {
      const [, D] = use.shapeOf("theta/kernel") as [number, number];
      const part = (n: number) =>
        graph.op("Slice", [
          use.weight("pair/kernel", [2 * D, 1]),
          graph.ints([n * D]),
          graph.ints([(n + 1) * D]),
          graph.ints([0]),
        ]);
      const [left, right] = [theta, phi].map((y, n) => graph.op("MatMul", [y, part(n)])) as [Value, Value];
      return shares(graph.op("Relu", [graph.op("Add", [left, across(right)])]));
    },
  };
  const gaussian = () => {
    const scaled = graph.op("Mul", [theta, graph.number(config.scale as number)]);
    return softmax(graph, graph.op("MatMul", [scaled, across(phi)]));
  };
  const weights = (weigh[config.kind as string] ?? gaussian)();
  const read = graph.op("MatMul", [weights, linear(use, "value", positions)]);
  const output = graph.op("Add", [x, placed(use, linear(use, "output", read), x, C)]);
  return attended(use, output, weights);
};

export const externalRule: LayerRule = (use) => {
  const { graph, inputs } = use;
  const { value: x, shape } = inputs[0]!;
  const q = linear(use, "query", flat(use, x, shape.at(-1)!));
  const scores = graph.op("MatMul", [q, transpose(graph, use.weight("memory/keys"), [1, 0])]);
  const total = graph.op("ReduceLogSumExp", [scores, graph.ints([1])]);
  const weights = softmax(graph, graph.op("Sub", [scores, total]));
  const read = linear(use, "output", graph.op("MatMul", [weights, use.weight("memory/values")]));
  const [, O] = use.shapeOf("output/kernel") as [number, number];
  return attended(use, placed(use, read, x, O), weights);
};
