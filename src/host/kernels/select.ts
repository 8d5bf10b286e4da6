import { util } from "@tensorflow/tfjs-core";
import { type HeedKernel, runStockKernel } from "../register.ts";

/** condition ? t : e, element by element. (tf.where broadcasts the three before it comes here.) */
export const select: HeedKernel = ({ inputs, attrs, heap }) => {
  const { condition, t, e } = inputs;
  const size = util.sizeFromShape(t!.shape);
  const aligned = util.sizeFromShape(condition!.shape) === size && util.sizeFromShape(e!.shape) === size;
  if (!aligned || t!.dtype === "string" || t!.dtype !== e!.dtype || condition!.dtype !== "bool") {
    return runStockKernel("Select", inputs, attrs, heap);
  }
  const out = heap.output("where", t!.shape, t!.dtype);
  const kernel = t!.dtype === "bool" ? heap.kernels.select8! : heap.kernels.select32!;
  kernel(heap.address(condition!), heap.address(t!), heap.address(e!), heap.address(out), size);
  return out;
};
