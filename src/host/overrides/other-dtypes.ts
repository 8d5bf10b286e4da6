import type { DataType, TensorInfo } from "@tensorflow/tfjs-core";
import type { Heap } from "../heap.ts";
import { type HeedKernel, type KernelInputs, runHeedKernel, runStockKernel } from "../register.ts";

/** How a stock kernel is run on inputs of a dtype that it does not know: as another dtype, and back. */
interface Detour {
  int32?: DataType;
  bool: DataType;
  /** The dtype of the first output. @default that of the inputs */
  out?: DataType;
}

const WHOLE: Detour = { bool: "int32" };
const FLOAT: Detour = { int32: "float32", bool: "float32" };

/**
 * Stock kernels that read int32 or bool as the bits of something else, write past a bool output, or leave it
 * uninitialised; and the dtypes as which they are run instead.
 */
export const DETOURS: Record<string, Detour> = {
  Abs: WHOLE,
  Mod: WHOLE,
  Neg: WHOLE,
  Relu: WHOLE,
  Reverse: WHOLE,
  Round: WHOLE,
  Square: WHOLE,
  Step: WHOLE,
  TopK: WHOLE,
  Acos: FLOAT,
  Acosh: FLOAT,
  Asin: FLOAT,
  Asinh: FLOAT,
  Atan: FLOAT,
  Atan2: FLOAT,
  Atanh: FLOAT,
  Ceil: FLOAT,
  Cosh: FLOAT,
  Elu: FLOAT,
  Floor: FLOAT,
  Log: FLOAT,
  Log1p: FLOAT,
  Reciprocal: FLOAT,
  Rsqrt: FLOAT,
  Selu: FLOAT,
  Sigmoid: FLOAT,
  Sinh: FLOAT,
  Softplus: FLOAT,
  Sqrt: FLOAT,
  Tan: FLOAT,
  Expm1: { ...FLOAT, out: "float32" },
  LeakyRelu: { ...FLOAT, out: "float32" },
  IsFinite: { ...FLOAT, out: "bool" },
  IsInf: { ...FLOAT, out: "bool" },
  IsNan: { ...FLOAT, out: "bool" },
};

/** The stock kernel, its inputs cast to the dtype of its detour where they need one. */
function detoured(kernelName: string, { out, ...via }: Detour): HeedKernel {
  return ({ inputs, attrs, heap }) => {
    const { dtype } = Object.values(inputs)[0]!;
    const runAs = dtype === "int32" || dtype === "bool" ? via[dtype] : undefined;
    if (!runAs) return runStockKernel(kernelName, inputs, attrs, heap);
    const casts: KernelInputs = {};
    for (const [name, x] of Object.entries(inputs)) casts[name] = castTo(x, runAs, heap);
    const results = [runStockKernel(kernelName, casts, attrs, heap)].flat();
    for (const x of Object.values(casts)) heap.dispose(x);
    const [first, ...rest] = results as [TensorInfo, ...TensorInfo[]];
    const wanted = castTo(first, out ?? dtype, heap);
    heap.dispose(first);
    return rest.length > 0 ? [wanted, ...rest] : wanted;
  };
}

/** Another dtype; the same elements, shared, where it is the same. */
export function castTo(x: TensorInfo, dtype: DataType, heap: Heap): TensorInfo {
  return runHeedKernel("Cast", { x }, { dtype }, heap);
}

/** x between two numbers. (The stock kernel takes all elements for float32.) */
const clipByValue: HeedKernel = ({ inputs, attrs, heap }) => {
  const x = inputs.x as TensorInfo;
  if (x.dtype === "float32") return runStockKernel("ClipByValue", inputs, attrs, heap);
  const { clipValueMin, clipValueMax } = attrs as Record<string, number>;
  heap.address(x); // moves it here first, if it lives on another backend: views do not survive that
  const out = heap.output("clipByValue", x.shape, x.dtype);
  const to = heap.view(out);
  heap.view(x).forEach((value, i) => {
    to[i] = Math.max(clipValueMin!, Math.min(clipValueMax!, value));
  });
  return out;
};

/** The smaller of x and 6, and 0 for what is negative; NaN stays. (The stock kernel makes 0 of it.) */
const relu6: HeedKernel = ({ inputs, heap }) => {
  const given = inputs.x as TensorInfo;
  const x = castTo(given, "float32", heap);
  const limits = [0, 6].map((value) =>
    runHeedKernel("Fill", {}, { shape: [], value, dtype: "float32" }, heap),
  ) as [TensorInfo, TensorInfo];
  const positive = runHeedKernel("Maximum", { a: x, b: limits[0] }, {}, heap);
  const clipped = runHeedKernel("Minimum", { a: positive, b: limits[1] }, {}, heap);
  const out = castTo(clipped, given.dtype, heap);
  for (const tensor of [x, ...limits, positive, clipped]) heap.dispose(tensor);
  return out;
};

/** The stock kernels above, corrected, by TensorFlow.js' names. */
export const otherDtypes: Record<string, HeedKernel> = {
  ...Object.fromEntries(Object.entries(DETOURS).map(([name, detour]) => [name, detoured(name, detour)])),
  ClipByValue: clipByValue,
  Relu6: relu6,
};
