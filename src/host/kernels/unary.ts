import { util } from "@tensorflow/tfjs-core";
import { type HeedKernel, runStockKernel } from "../register.ts";

/** An elementwise float32 function, by the names of TensorFlow.js' kernel and of ours. */
export function unary(kernelName: string, kernel: string): HeedKernel {
  return ({ inputs, attrs, heap }) => {
    const x = inputs.x!;
    if (x.dtype !== "float32") return runStockKernel(kernelName, inputs, attrs, heap);
    const out = heap.output(kernelName, x.shape);
    heap.kernels[kernel]!(heap.address(x), heap.address(out), util.sizeFromShape(x.shape));
    return out;
  };
}
