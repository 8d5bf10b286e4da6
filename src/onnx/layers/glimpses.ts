/** heed's layers that look at a part of an image. */
import { softmax } from "../attention.ts";
import type { Graph, Value } from "../format/graph.ts";
import { cast, concat, range, reshape, sizeOf, transpose, unsqueeze } from "../format/operations.ts";
import { affine, type LayerRule, type LayerUse } from "./call.ts";

/** Numbers of the columns of x [B, N]: [B, 1] each. */
const columnsOf = (graph: Graph, x: Value, N: number): Value[] =>
  graph.ops("Split", [x, graph.ints(new Array<number>(N).fill(1))], N, { axis: 1 });

/** One operator after the other. */
const operators =
  (graph: Graph) =>
  (type: string, ...inputs: (Value | number)[]): Value =>
    graph.op(
      type,
      inputs.map((input) => (typeof input === "number" ? graph.number(input) : input)),
    );

/** Gaussians along one axis: the centre of the first, the distance of neighbours and their deviation, [B, 1] each. */
interface Gaussians {
  readonly first: Value;
  readonly stride: Value;
  readonly deviation: Value;
}

/** Their weights for each of so many pixels: [B, Gaussians, pixels], of sizes int64 [1]. */
function filterOf(graph: Graph, { first, stride, deviation }: Gaussians, count: Value, pixels: Value): Value {
  const op = operators(graph);
  const places = (N: Value) => cast(graph, range(graph, graph.ints([0]), N), "float");
  const centres = unsqueeze(graph, op("Add", first, op("Mul", stride, places(count))), 2);
  const last = op("Sub", cast(graph, pixels, "float"), 1);
  const nearest = op("Min", op("Max", op("Round", centres), 0), last);
  const pixel = unsqueeze(graph, places(pixels), 1);
  // ½ ((c − μ)² − (n − μ)²), n the nearest pixel: no large squares that cancel.
  const further = op(
    "Mul",
    op("Sub", pixel, nearest),
    op("Sub", op("Add", pixel, nearest), op("Mul", centres, 2)),
  );
  const variance = unsqueeze(graph, op("Mul", deviation, deviation), 2);
  return softmax(graph, op("Div", op("Mul", further, -0.5), variance));
}

/** A_y x A_xᵀ for each channel of x [B, H, W, C]; A_y [B, h, H], A_x [B, w, W]. */
function filtered(graph: Graph, x: Value, y: Value, columns: Value, C: number): Value {
  const rows = graph.op("MatMul", [y, reshape(graph, x, [0, 0, -1])]);
  const lines = graph.op("Reshape", [
    rows,
    concat(graph, [graph.ints([0, 0]), sizeOf(graph, x, 2), graph.ints([C])], 0),
  ]);
  return graph.op("MatMul", [unsqueeze(graph, columns, 1), lines]);
}

export const gaussianGlimpseRule: LayerRule = ({ graph, config, inputs }) => {
  const [image, parameters] = inputs;
  const { value, shape } = image!;
  const [uy, dy, sy, ux, dx, sx] = columnsOf(graph, parameters!.value, 6) as [
    ...[Value, Value, Value],
    ...[Value, Value, Value],
  ];
  const axis = (first: Value, stride: Value, deviation: Value, count: unknown, pixels: number) => {
    const given = { first, stride: graph.op("Exp", [stride]), deviation: graph.op("Exp", [deviation]) };
    return filterOf(graph, given, graph.ints([count as number]), sizeOf(graph, value, pixels));
  };
  const [y, x] = [axis(uy, dy, sy, config.height, 1), axis(ux, dx, sx, config.width, 2)];
  return { outputs: [filtered(graph, value, y, x, shape[3]!)], mask: null };
};

/** Rows and columns, int64 [1] each. */
type Size = readonly [Value, Value];

/** DRAW's filters of patches on images, [B, h, H] and [B, w, W], and the logarithm of the intensity [B, 1]. */
function drawFilters(use: LayerUse, patch: Size, image: Size): { y: Value; x: Value; logIntensity: Value } {
  const { graph, inputs } = use;
  const op = operators(graph);
  const numbers = columnsOf(graph, affine(use, inputs[1]!.value, "kernel", "bias"), 5);
  const [gX, gY, logVariance, logStride, logIntensity] = numbers as [Value, Value, Value, Value, Value];
  const float = (n: Value) => cast(graph, n, "float");
  const longest = ([a, b]: Size) => op("Sub", float(op("Max", a, b)), 1);
  const stride = op("Mul", op("Exp", logStride), op("Div", longest(image), longest(patch)));
  const deviation = op("Exp", op("Mul", logVariance, 0.5));
  const axis = (g: Value, n: 0 | 1) => {
    const middle = op("Sub", op("Mul", op("Add", g, 1), op("Mul", op("Add", float(image[n]), 1), 0.5)), 1);
    const half = op("Mul", op("Sub", float(patch[n]), 1), 0.5);
    const first = op("Sub", middle, op("Mul", stride, half));
    return filterOf(graph, { first, stride, deviation }, patch[n], image[n]);
  };
  return { y: axis(gY, 0), x: axis(gX, 1), logIntensity };
}

/** The size in the fields of a layer, and that of its first input. */
function sizes({ graph, config, inputs }: LayerUse): { own: Size; given: Size } {
  const { value } = inputs[0]!;
  return {
    own: [graph.ints([config.height as number]), graph.ints([config.width as number])],
    given: [sizeOf(graph, value, 1), sizeOf(graph, value, 2)],
  };
}

/** What was drawn, as bright as the state says. */
const lit = (graph: Graph, x: Value, logIntensity: Value) =>
  graph.op("Mul", [x, unsqueeze(graph, graph.op("Exp", [logIntensity]), 2, 3)]);

export const drawReadRule: LayerRule = (use) => {
  const { graph, inputs } = use;
  const { own, given } = sizes(use);
  const { y, x, logIntensity } = drawFilters(use, own, given);
  const { value, shape } = inputs[0]!;
  return { outputs: [lit(graph, filtered(graph, value, y, x, shape[3]!), logIntensity)], mask: null };
};

export const drawWriteRule: LayerRule = (use) => {
  const { graph, inputs } = use;
  const { own, given } = sizes(use);
  const { y, x, logIntensity } = drawFilters(use, given, own);
  const { value, shape } = inputs[0]!;
  const [rows, columns] = [y, x].map((filter) => transpose(graph, filter, [0, 2, 1])) as [Value, Value];
  const drawn = filtered(graph, value, rows, columns, shape[3]!);
  return { outputs: [lit(graph, drawn, graph.op("Neg", [logIntensity]))], mask: null };
};

export const softMaskRule: LayerRule = (use) => {
  const { graph, config, inputs } = use;
  const { value: x, shape } = inputs[0]!;
  const { height, width, normalize } = config as { height?: number; width?: number; normalize: string };
  const logits = affine(use, x, "kernel", "bias");
  const flat = reshape(graph, logits, [0, -1]);
  const weights = normalize === "softmax" ? softmax(graph, flat) : graph.op("Sigmoid", [flat]);
  const pixels = graph.op("Shape", [x], { start: 0, end: 3 });
  const map = graph.op("Reshape", [weights, pixels]);
  let output = graph.op("Mul", [x, unsqueeze(graph, map, 3)]);
  if (height !== undefined || width !== undefined) {
    // Rows and columns of cells, each with the pixels of one: [B, h, H/h, w, W/w, C].
    const cells = (count: number | undefined, axis: number) => {
      const size = sizeOf(graph, x, axis);
      if (count === undefined) return [size, graph.ints([1])];
      return [graph.ints([count]), graph.op("Div", [size, graph.ints([count])])];
    };
    const parts = [graph.ints([0]), ...cells(height, 1), ...cells(width, 2), graph.ints([shape[3]!])];
    const split = graph.op("Reshape", [output, concat(graph, parts, 0)]);
    output = graph.op("ReduceSum", [split, graph.ints([2, 4])], { keepdims: 0 });
  }
  return { outputs: config.returnMap ? [output, map] : [output], mask: null };
};

/** Coordinates of n pixels from −1 to 1: their centres, or those of the outermost at the ends. */
function coordinates(n: number, alignCorners: boolean): number[] {
  if (!alignCorners) return Array.from({ length: n }, (_, i) => (2 * i + 1) / n - 1);
  return Array.from({ length: n }, (_, i) => (n === 1 ? 0 : (2 * i) / (n - 1) - 1));
}

/** The numbers that leave the image as it is, and where each of a crop's stands in a map of six. */
const IDENTITY = { affine: [1, 0, 0, 0, 1, 0], crop: [1, 0, 1, 0] } as const;
const CROP = [0, 2, 4, 5];

export const spatialTransformerRule: LayerRule = (use) => {
  const { graph, config, inputs } = use;
  const [image, features] = inputs;
  const {
    height: h,
    width: w,
    alignCorners,
    transform,
    interpolation,
    padding,
  } = config as unknown as {
    height: number;
    width: number;
    alignCorners: boolean;
    transform: "affine" | "crop";
    interpolation: string;
    padding: string;
  };
  let numbers = features?.value ?? reshape(graph, image!.value, [0, -1]);
  if (config.localization) {
    const moved = affine(use, numbers, "localization/kernel", "localization/bias");
    numbers = graph.op("Add", [moved, graph.floats(IDENTITY[transform])]);
  }
  if (transform === "crop") {
    const places = Float32Array.from({ length: 4 * 6 }, (_, n) => Number(CROP[Math.floor(n / 6)] === n % 6));
    numbers = graph.op("MatMul", [numbers, graph.floats(places, [4, 6])]);
  }
  const [xs, ys] = [coordinates(w, alignCorners), coordinates(h, alignCorners)];
  const target = [ys.flatMap(() => xs), ys.flatMap((y) => xs.map(() => y)), new Array<number>(h * w).fill(1)];
  const points = graph.op("MatMul", [
    reshape(graph, numbers, [0, 2, 3]),
    graph.floats(target.flat(), [3, h * w]),
  ]);
  const grid = transpose(graph, reshape(graph, points, [0, 2, h, w]), [0, 2, 3, 1]);
  const sampled = graph.op("GridSample", [transpose(graph, image!.value, [0, 3, 1, 2]), grid], {
    mode: interpolation === "bilinear" ? "linear" : "nearest",
    padding_mode: padding,
    align_corners: Number(alignCorners),
  });
  return { outputs: [transpose(graph, sampled, [0, 2, 3, 1])], mask: null };
};
