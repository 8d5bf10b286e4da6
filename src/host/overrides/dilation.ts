import { backend_util, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { Heap } from "../heap.ts";
import type { HeedKernel } from "../register.ts";

type Info = backend_util.Conv2DInfo;

function infoOf(x: TensorInfo, filter: TensorInfo, attrs: Record<string, unknown>): Info {
  const { strides, pad, dilations } = attrs as {
    strides: number;
    pad: "same" | "valid" | number;
    dilations: number;
  };
  return backend_util.computeDilation2DInfo(
    x.shape as [number, number, number, number],
    filter.shape as [number, number, number],
    strides,
    pad,
    "NHWC",
    dilations,
  );
}

/**
 * Calls `visit` with each output element, its value max (x + filter), and where x and filter stand that make it: of equal
 * ones the first, −1 where the window is all padding.
 */
function eachMaximum(
  x: ArrayLike<number>,
  filter: ArrayLike<number>,
  c: Info,
  visit: (output: number, value: number, inX: number, inFilter: number) => void,
): void {
  const { inHeight, inWidth, inChannels, filterHeight, filterWidth, dilationHeight, dilationWidth } = c;
  let output = 0;
  for (let b = 0; b < c.batchSize; b++) {
    for (let oy = 0; oy < c.outHeight; oy++) {
      for (let ox = 0; ox < c.outWidth; ox++) {
        for (let d = 0; d < inChannels; d++) {
          // What every backend of TensorFlow.js gives where there is nothing.
          let best = Number.MIN_SAFE_INTEGER;
          let [atX, atFilter] = [-1, -1];
          for (let h = 0; h < filterHeight; h++) {
            const y = oy * c.strideHeight - c.padInfo.top + h * dilationHeight;
            if (y < 0 || y >= inHeight) continue;
            for (let w = 0; w < filterWidth; w++) {
              const column = ox * c.strideWidth - c.padInfo.left + w * dilationWidth;
              if (column < 0 || column >= inWidth) continue;
              const i = ((b * inHeight + y) * inWidth + column) * inChannels + d;
              const f = (h * filterWidth + w) * inChannels + d;
              const value = x[i]! + filter[f]!;
              if (value > best) [best, atX, atFilter] = [value, i, f];
            }
          }
          visit(output++, best, atX, atFilter);
        }
      }
    }
  }
}

/** Copies, since views do not survive the allocation of an output. */
const values = (heap: Heap, tensor: TensorInfo) => {
  heap.address(tensor);
  return heap.view(tensor).slice();
};

/** Grey dilation. (The stock kernel knows no sum below 10⁻³⁸.) */
const dilation: HeedKernel = ({ inputs, attrs, heap }) => {
  const { x, filter } = inputs as Record<"x" | "filter", TensorInfo>;
  const c = infoOf(x, filter, attrs);
  const [from, taps] = [values(heap, x), values(heap, filter)];
  const out = heap.output("dilation2d", c.outShape, x.dtype);
  const to = heap.view(out);
  eachMaximum(from, taps, c, (output, value) => {
    to[output] = value;
  });
  return out;
};

/** Its gradient for x or for the filter: each output's goes to what made it. */
function gradientFor(name: "x" | "filter"): HeedKernel {
  return ({ inputs, attrs, heap }) => {
    const { x, filter, dy } = inputs as Record<"x" | "filter" | "dy", TensorInfo>;
    const c = infoOf(x, filter, attrs);
    const [from, taps, d] = [values(heap, x), values(heap, filter), values(heap, dy)];
    const out = heap.output("dilation2d gradient", inputs[name]!.shape, x.dtype);
    const sums = new Float64Array(util.sizeFromShape(out.shape));
    eachMaximum(from, taps, c, (output, _, inX, inFilter) => {
      const at = name === "x" ? inX : inFilter;
      if (at >= 0) sums[at]! += d[output]!;
    });
    heap.view(out).set(sums);
    return out;
  };
}

/** Dilation and its gradients, by TensorFlow.js' names. */
export const dilations: Record<string, HeedKernel> = {
  Dilation2D: dilation,
  Dilation2DBackpropInput: gradientFor("x"),
  Dilation2DBackpropFilter: gradientFor("filter"),
};
