import { backend_util, type DataType, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { type HeedKernel, stock } from "../register.ts";

const LEAST_INT = -(2 ** 31);

/** What a reduction over nothing gives. */
const NOTHING: Record<string, (dtype: DataType) => number> = {
  Sum: () => 0,
  Prod: () => 1,
  Any: () => 0,
  All: () => 1,
  Max: (dtype) => (dtype === "float32" ? Number.NEGATIVE_INFINITY : dtype === "int32" ? LEAST_INT : 0),
  Min: (dtype) => (dtype === "float32" ? Number.POSITIVE_INFINITY : dtype === "int32" ? -LEAST_INT - 1 : 1),
};

/** A reduction that gives its neutral element for an empty axis. (The stock kernels leave the output as it was.) */
export function orNothing(kernelName: string, kernel: HeedKernel): HeedKernel {
  return (call) => {
    const x = call.inputs.x as TensorInfo;
    if (util.sizeFromShape(x.shape) > 0) return kernel(call);
    const { axis, reductionIndices, keepDims } = call.attrs as Record<string, number | number[]> & {
      keepDims: boolean;
    };
    const axes = util.parseAxisParam(reductionIndices ?? axis!, x.shape);
    const [kept] = backend_util.computeOutAndReduceShapes(x.shape, axes);
    const shape = keepDims ? backend_util.expandShapeToKeepDim(kept, axes) : kept;
    const out = call.heap.output(kernelName, shape, x.dtype);
    call.heap.view(out).fill(NOTHING[kernelName]!(x.dtype));
    return out;
  };
}

/** A sum or product along an axis, which may be counted from the end, and of nothing too. (Stock kernels: neither.) */
function scan(kernelName: string): HeedKernel {
  const kernel = stock(kernelName);
  return ({ inputs, attrs, heap }) => {
    const x = inputs.x as TensorInfo;
    if (util.sizeFromShape(x.shape) === 0) return heap.output(kernelName, x.shape, x.dtype);
    const [axis] = util.parseAxisParam(attrs.axis as number, x.shape);
    return kernel({ inputs, attrs: { ...attrs, axis }, heap });
  };
}

/** By TensorFlow.js' names. */
export const scans: Record<string, HeedKernel> = { Cumsum: scan("Cumsum"), Cumprod: scan("Cumprod") };
