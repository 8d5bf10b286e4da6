import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { Heap } from "../heap.ts";
import { type HeedKernel, runStockKernel } from "../register.ts";
import { castTo } from "./other-dtypes.ts";

/** `run` on x as float32, and back: what is asked of int32 and bool stays in their dtype. */
function inFloats(given: TensorInfo, heap: Heap, run: (x: TensorInfo) => TensorInfo): TensorInfo {
  const x = castTo(given, "float32", heap);
  const y = run(x);
  const out = castTo(y, given.dtype, heap);
  for (const tensor of [x, y]) heap.dispose(tensor);
  return out;
}

/** f of each number, computed in float64. */
function each(kernelName: string, x: TensorInfo, heap: Heap, f: (x: number) => number): TensorInfo {
  const out = heap.output(kernelName, x.shape);
  const [from, to] = [heap.view(x), heap.view(out)];
  for (let i = 0; i < util.sizeFromShape(x.shape); i++) to[i] = f(from[i]!);
  return out;
}

/** Up to here the stock kernels' angles are right to float32; at 10¹⁵ they are off by 0.04, at 10²⁰ anything. */
const LARGEST_ANGLE = 2 ** 30;

/** The stock kernel, and float64 where an angle is too large for it. */
function ofAngles(kernelName: string, f: (x: number) => number): HeedKernel {
  return ({ inputs, attrs, heap }) =>
    inFloats(inputs.x as TensorInfo, heap, (x) =>
      heap.view(x).some((angle) => Math.abs(angle) > LARGEST_ANGLE)
        ? each(kernelName, x, heap, f)
        : runStockKernel(kernelName, { x }, attrs, heap),
    );
}

/** −1, 0 or 1. (The stock kernel takes numbers below 10⁻⁷ for 0.) */
const sign: HeedKernel = ({ inputs, heap }) =>
  inFloats(inputs.x as TensorInfo, heap, (x) =>
    each("Sign", x, heap, (value) => (value > 0 ? 1 : value < 0 ? -1 : 0)),
  );

/** ⌊a / b⌋ in int32, as on every other backend. (The stock kernel leaves float32.) */
const floorDiv: HeedKernel = ({ inputs, attrs, heap }) => {
  const [a, b] = [inputs.a as TensorInfo, inputs.b as TensorInfo];
  const dtype = a.dtype === "bool" ? "int32" : a.dtype;
  const casts = { a: castTo(a, dtype, heap), b: castTo(b, dtype, heap) };
  const quotient = runStockKernel("FloorDiv", casts, attrs, heap);
  const out = castTo(quotient, "int32", heap);
  for (const tensor of [casts.a, casts.b, quotient]) heap.dispose(tensor);
  return out;
};

/** By TensorFlow.js' names. */
export const preciseKernels: Record<string, HeedKernel> = {
  Cos: ofAngles("Cos", Math.cos),
  Sin: ofAngles("Sin", Math.sin),
  Sign: sign,
  FloorDiv: floorDiv,
};
