import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { HeedKernel } from "../register.ts";
import { castTo } from "./other-dtypes.ts";

/** An elementwise float32 function, by the names of TensorFlow.js' kernel and of ours; other dtypes are cast. */
export function unary(kernelName: string, kernel: string): HeedKernel {
  return ({ inputs, heap }) => {
    const x = castTo(inputs.x as TensorInfo, "float32", heap);
    const out = heap.output(kernelName, x.shape);
    heap.kernels[kernel]!(heap.address(x), heap.address(out), util.sizeFromShape(x.shape));
    heap.dispose(x);
    return out;
  };
}
