import { util } from "@tensorflow/tfjs-core";
import { type HeedKernel, runStockKernel } from "../register.ts";

/** Another dtype. (The stock kernel stores numbers in bool tensors modulo 256, so that 256 becomes false.) */
export const cast: HeedKernel = ({ inputs, attrs, heap }) => {
  const x = inputs.x!;
  if (attrs.dtype !== "bool" || (x.dtype !== "float32" && x.dtype !== "int32")) {
    return runStockKernel("Cast", inputs, attrs, heap);
  }
  const out = heap.output("cast", x.shape, "bool");
  const kernel = x.dtype === "int32" ? heap.kernels.intToBool! : heap.kernels.floatToBool!;
  kernel(heap.address(x), heap.address(out), util.sizeFromShape(x.shape));
  return out;
};
