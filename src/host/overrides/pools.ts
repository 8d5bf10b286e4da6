import { backend_util, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { Heap } from "../heap.ts";
import { type HeedKernel, runStockKernel } from "../register.ts";

/** Windows over images [B, D, H, W, C]; images without depth have D = 1. Each list is depth, height, width. */
interface Windows {
  batch: number;
  channels: number;
  input: number[];
  output: number[];
  filter: number[];
  stride: number[];
  before: number[];
  outShape: number[];
}

interface PoolAttrs {
  filterSize: number | [number, number];
  strides: number | [number, number];
  pad: "valid" | "same" | number | backend_util.ExplicitPadding;
  dimRoundingMode?: "floor" | "round" | "ceil";
}

function flat({ shape }: TensorInfo, attrs: Record<string, unknown>): Windows {
  const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as PoolAttrs;
  const c = backend_util.computePool2DInfo(
    shape as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  return {
    batch: c.batchSize,
    channels: c.inChannels,
    input: [1, c.inHeight, c.inWidth],
    output: [1, c.outHeight, c.outWidth],
    filter: [1, c.filterHeight, c.filterWidth],
    stride: [1, c.strideHeight, c.strideWidth],
    before: [0, c.padInfo.top, c.padInfo.left],
    outShape: c.outShape,
  };
}

function solid({ shape }: TensorInfo, attrs: Record<string, unknown>): Windows {
  const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as PoolAttrs;
  const c = backend_util.computePool3DInfo(
    shape as [number, number, number, number, number],
    filterSize as number,
    strides as number,
    1,
    pad as "same",
    dimRoundingMode,
  );
  return {
    batch: c.batchSize,
    channels: c.inChannels,
    input: [c.inDepth, c.inHeight, c.inWidth],
    output: [c.outDepth, c.outHeight, c.outWidth],
    filter: [c.filterDepth, c.filterHeight, c.filterWidth],
    stride: [c.strideDepth, c.strideHeight, c.strideWidth],
    before: [c.padInfo.front, c.padInfo.top, c.padInfo.left],
    outShape: c.outShape,
  };
}

/** The part of window `at` that lies on the axis: from, to (excluded). */
function reach(w: Windows, axis: number, at: number): [number, number] {
  const from = at * w.stride[axis]! - w.before[axis]!;
  return [Math.max(from, 0), Math.min(from + w.filter[axis]!, w.input[axis]!)];
}

/** Calls `visit` with the first elements of an output pixel and of each input pixel that its window holds, in order. */
function eachPixel(w: Windows, visit: (output: number, input: number) => void): void {
  const [D, H, W] = w.input as [number, number, number];
  const [outD, outH, outW] = w.output as [number, number, number];
  let output = 0;
  for (let b = 0; b < w.batch; b++) {
    for (let d = 0; d < outD; d++) {
      const [fromD, toD] = reach(w, 0, d);
      for (let y = 0; y < outH; y++) {
        const [fromY, toY] = reach(w, 1, y);
        for (let x = 0; x < outW; x++, output += w.channels) {
          const [fromX, toX] = reach(w, 2, x);
          for (let z = fromD; z < toD; z++) {
            for (let r = fromY; r < toY; r++) {
              const row = ((b * D + z) * H + r) * W;
              for (let c = fromX; c < toX; c++) visit(output, (row + c) * w.channels);
            }
          }
        }
      }
    }
  }
}

/** The largest number of each window, and where it stands: of equal ones the first, −1 where there is none. */
function largest(x: ArrayLike<number>, w: Windows): { values: Float32Array; places: Int32Array } {
  const size = util.sizeFromShape(w.outShape);
  const values = new Float32Array(size).fill(Number.NEGATIVE_INFINITY);
  const places = new Int32Array(size).fill(-1);
  const C = w.channels;
  eachPixel(w, (output, input) => {
    for (let c = 0; c < C; c++) {
      const value = x[input + c]!;
      if (value > values[output + c]!) {
        values[output + c] = value;
        places[output + c] = input + c;
      }
    }
  });
  return { values, places };
}

type Geometry = (x: TensorInfo, attrs: Record<string, unknown>) => Windows;

function view(heap: Heap, tensor: TensorInfo) {
  heap.address(tensor); // moves it here first, if it lives on another backend
  return heap.view(tensor);
}

/**
 * The gradient of maxPool: each output's goes to the largest number of its window, of equal ones to the first. (The
 * stock kernels look for numbers above 0, and lose the gradient of windows that have none.)
 */
function maxPoolGradient(op: string, geometry: Geometry): HeedKernel {
  return ({ inputs, attrs, heap }) => {
    const { dy, input } = inputs as Record<"dy" | "input", TensorInfo>;
    const { places } = largest(view(heap, input), geometry(input, attrs));
    heap.address(dy);
    const out = heap.output(`${op} gradient`, input.shape);
    const to = heap.view(out).fill(0);
    const from = heap.view(dy);
    for (let i = 0; i < places.length; i++) if (places[i]! >= 0) to[places[i]!]! += from[i]!;
    return out;
  };
}

/** maxPool where the stock kernel gives it up: windows of one pixel that do not copy the image. */
const maxPool: HeedKernel = ({ inputs, attrs, heap }) => {
  const x = inputs.x as TensorInfo;
  const w = flat(x, attrs);
  if (!isOnePixel(w)) return runStockKernel("MaxPool", inputs, attrs, heap);
  const { values } = largest(view(heap, x), w);
  const out = heap.output("maxPool", w.outShape);
  heap.view(out).set(values);
  return out;
};

const isOnePixel = (w: Windows) => w.filter.every((size) => size === 1);

/** The means of windows, over the pixels that they hold, of which there are none in padding alone. */
const avgPool: HeedKernel = ({ inputs, attrs, heap }) => {
  const x = inputs.x as TensorInfo;
  const w = flat(x, attrs);
  if (!isOnePixel(w)) return runStockKernel("AvgPool", inputs, attrs, heap);
  const from = view(heap, x);
  const values = new Float32Array(util.sizeFromShape(w.outShape)).fill(Number.NaN);
  eachPixel(w, (output, input) => {
    for (let c = 0; c < w.channels; c++) values[output + c] = from[input + c]!;
  });
  const out = heap.output("avgPool", w.outShape);
  heap.view(out).set(values);
  return out;
};

/** The largest numbers of windows in space. (The stock kernel knows no number below 10⁻³⁸.) */
const maxPool3d: HeedKernel = ({ inputs, attrs, heap }) => {
  const x = inputs.x as TensorInfo;
  const w = solid(x, attrs);
  const { values } = largest(view(heap, x), w);
  const out = heap.output("maxPool3d", w.outShape);
  heap.view(out).set(values);
  return out;
};

/** maxPool and the place of each largest number. (The stock kernel knows no number below 10⁻³⁸.) */
const maxPoolWithArgmax: HeedKernel = ({ inputs, attrs, heap }) => {
  const x = inputs.x as TensorInfo;
  const w = flat(x, attrs);
  const { values, places } = largest(view(heap, x), w);
  const op = "maxPoolWithArgmax";
  const outs = [heap.output(op, w.outShape), heap.output(op, w.outShape, "int32")] as const;
  heap.view(outs[0]).set(values);
  const image = attrs.includeBatchInIndex ? Number.POSITIVE_INFINITY : util.sizeFromShape(x.shape.slice(1));
  const to = heap.view(outs[1]);
  places.forEach((place, i) => {
    to[i] = place < 0 ? place : place % image;
  });
  return [...outs];
};

/** Pools, by TensorFlow.js' names. */
export const pools: Record<string, HeedKernel> = {
  MaxPool: maxPool,
  AvgPool: avgPool,
  MaxPool3D: maxPool3d,
  MaxPoolGrad: maxPoolGradient("maxPool", flat),
  MaxPool3DGrad: maxPoolGradient("maxPool3d", solid),
  MaxPoolWithArgmax: maxPoolWithArgmax,
};
