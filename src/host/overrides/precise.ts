import { type TensorInfo, util } from "@tensorflow/tfjs-core";
import { type HeedKernel, runStockKernel } from "../register.ts";
import { castTo } from "./other-dtypes.ts";

/**
 * A function of one number, computed in float64. The stock kernels reduce angles in float32, which past some thousand
 * turns is another angle, and take numbers below 10⁻⁷ for 0.
 */
function precise(kernelName: string, f: (x: number) => number): HeedKernel {
  return ({ inputs, heap }) => {
    const given = inputs.x as TensorInfo;
    const x = castTo(given, "float32", heap);
    const out = heap.output(kernelName, x.shape);
    const [from, to] = [heap.view(x), heap.view(out)];
    for (let i = 0; i < util.sizeFromShape(x.shape); i++) to[i] = f(from[i]!);
    const result = given.dtype === "float32" ? out : castTo(out, given.dtype, heap);
    heap.dispose(x);
    if (result !== out) heap.dispose(out);
    return result;
  };
}

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
  Cos: precise("Cos", Math.cos),
  Sin: precise("Sin", Math.sin),
  Tan: precise("Tan", Math.tan),
  Sign: precise("Sign", (x) => (x > 0 ? 1 : x < 0 ? -1 : 0)),
  FloorDiv: floorDiv,
};
