import { util } from "@tensorflow/tfjs-core";
import { type HeedKernel, runStockKernel } from "../register.ts";

/** Another dtype. (The stock kernel stores numbers in bool tensors modulo 256, so that 256 becomes false.) */
export const cast: HeedKernel = ({ inputs, attrs, heap }) => {
  const x = inputs.x!;
  if (x.dtype === attrs.dtype && x.dtype !== "string") return heap.share(x);
  if (attrs.dtype !== "bool" || (x.dtype !== "float32" && x.dtype !== "int32")) {
    return runStockKernel("Cast", inputs, attrs, heap);
  }
  const out = heap.output("cast", x.shape, "bool");
  const kernel = x.dtype === "int32" ? heap.kernels.intToBool! : heap.kernels.floatToBool!;
  kernel(heap.address(x), heap.address(out), util.sizeFromShape(x.shape));
  return out;
};

/** A tensor that shares its elements with x, as on every backend but stock `wasm`, which copies them. */
export const identity: HeedKernel = ({ inputs, attrs, heap }) => {
  const x = inputs.x!;
  return x.dtype === "string" ? runStockKernel("Identity", inputs, attrs, heap) : heap.share(x);
};
