import { backend_util, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { Heap } from "../heap.ts";
import type { HeedKernel } from "../register.ts";

type Info = backend_util.Conv3DInfo;
type Shape5 = [number, number, number, number, number];

function infoOf(inputShape: number[], filterShape: number[], attrs: Record<string, unknown>): Info {
  const { strides, pad } = attrs as { strides: number; pad: "same" | "valid" };
  return backend_util.computeConv3DInfo(inputShape as Shape5, filterShape as Shape5, strides, 1, pad);
}

/**
 * Calls `visit` with the first elements of an input pixel, of an output pixel, and of the matrix [I, O] of the filter
 * that joins them, for every such triple.
 */
function eachTap(c: Info, visit: (input: number, output: number, filter: number) => void): void {
  const { front, top, left } = c.padInfo;
  for (let b = 0; b < c.batchSize; b++) {
    for (let od = 0; od < c.outDepth; od++) {
      for (let oy = 0; oy < c.outHeight; oy++) {
        for (let ox = 0; ox < c.outWidth; ox++) {
          const output = (((b * c.outDepth + od) * c.outHeight + oy) * c.outWidth + ox) * c.outChannels;
          for (let fd = 0; fd < c.filterDepth; fd++) {
            const z = od * c.strideDepth - front + fd;
            if (z < 0 || z >= c.inDepth) continue;
            for (let fy = 0; fy < c.filterHeight; fy++) {
              const y = oy * c.strideHeight - top + fy;
              if (y < 0 || y >= c.inHeight) continue;
              for (let fx = 0; fx < c.filterWidth; fx++) {
                const x = ox * c.strideWidth - left + fx;
                if (x < 0 || x >= c.inWidth) continue;
                const input = (((b * c.inDepth + z) * c.inHeight + y) * c.inWidth + x) * c.inChannels;
                const tap = (fd * c.filterHeight + fy) * c.filterWidth + fx;
                visit(input, output, tap * c.inChannels * c.outChannels);
              }
            }
          }
        }
      }
    }
  }
}

function values(heap: Heap, tensor: TensorInfo) {
  heap.address(tensor); // moves it here first, if it lives on another backend
  return heap.view(tensor).slice();
}

function result(heap: Heap, shape: number[], sums: Float64Array): TensorInfo {
  const out = heap.output("conv3d gradient", shape);
  heap.view(out).set(sums);
  return out;
}

/** The gradient of conv3d for its input, which is conv3dTranspose. (The stock kernel leaves strided ones at 0.) */
const backpropInput: HeedKernel = ({ inputs, attrs, heap }) => {
  const { dy, filter } = inputs as Record<"dy" | "filter", TensorInfo>;
  const shape = attrs.inputShape as number[];
  const c = infoOf(shape, filter.shape, attrs);
  const [d, w, sums] = [values(heap, dy), values(heap, filter), new Float64Array(util.sizeFromShape(shape))];
  const [I, O] = [c.inChannels, c.outChannels];
  eachTap(c, (input, output, tap) => {
    for (let i = 0; i < I; i++) {
      let sum = 0;
      for (let o = 0; o < O; o++) sum += d[output + o]! * w[tap + i * O + o]!;
      sums[input + i]! += sum;
    }
  });
  return result(heap, shape, sums);
};

/** The gradient of conv3d for its filter. */
const backpropFilter: HeedKernel = ({ inputs, attrs, heap }) => {
  const { x, dy } = inputs as Record<"x" | "dy", TensorInfo>;
  const shape = attrs.filterShape as number[];
  const c = infoOf(x.shape, shape, attrs);
  const [a, d, sums] = [values(heap, x), values(heap, dy), new Float64Array(util.sizeFromShape(shape))];
  const [I, O] = [c.inChannels, c.outChannels];
  eachTap(c, (input, output, tap) => {
    for (let i = 0; i < I; i++) {
      for (let o = 0; o < O; o++) sums[tap + i * O + o]! += a[input + i]! * d[output + o]!;
    }
  });
  return result(heap, shape, sums);
};

/** The gradients of conv3d, by TensorFlow.js' names. */
export const conv3dGradients: Record<string, HeedKernel> = {
  Conv3DBackpropInputV2: backpropInput,
  Conv3DBackpropFilterV2: backpropFilter,
};
