import { broadcast_util, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { Heap } from "../heap.ts";
import { type HeedKernel, runHeedKernel, runStockKernel } from "../register.ts";
import { readingOrder } from "./axes.ts";
import { transformRows } from "./fourier.ts";

/** Complex tensors lie on the heap as TensorFlow.js reads them: real and imaginary part of each element in turn. */
function pairs(heap: Heap, x: TensorInfo): Float32Array {
  heap.address(x); // moves it here first, if it lives on another backend
  return heap.view(x) as Float32Array;
}

const complex: HeedKernel = ({ inputs, heap }) => {
  const { real, imag } = inputs as Record<"real" | "imag", TensorInfo>;
  return join(heap, real, imag);
};

function join(heap: Heap, real: TensorInfo, imag: TensorInfo | undefined): TensorInfo {
  for (const part of [real, imag]) if (part) heap.address(part);
  const out = heap.output("complex", real.shape, "complex64");
  const [to, a, b] = [pairs(heap, out), heap.view(real), imag && heap.view(imag)];
  for (let i = 0; i < a.length; i++) {
    to[2 * i] = a[i]!;
    to[2 * i + 1] = b ? b[i]! : 0;
  }
  return out;
}

/** One number of each element. */
function part(op: string, of: (real: number, imag: number) => number, name: "input" | "x"): HeedKernel {
  return ({ inputs, heap }) => {
    const x = inputs[name] as TensorInfo;
    pairs(heap, x);
    const out = heap.output(op, x.shape);
    const [from, to] = [pairs(heap, x), heap.view(out)];
    for (let i = 0; i < to.length; i++) to[i] = of(from[2 * i]!, from[2 * i + 1]!);
    return out;
  };
}

const real = part("real", (a) => a, "input");

function fourier(op: string, inverse: boolean): HeedKernel {
  return ({ inputs, heap }) => {
    const x = inputs.input as TensorInfo;
    const values = Float64Array.from(pairs(heap, x));
    transformRows(values, x.shape.at(-1)!, inverse);
    const out = heap.output(op, x.shape, "complex64");
    pairs(heap, out).set(values);
    return out;
  };
}

/** A kernel of real tensors, and what it does where one of its inputs is complex. */
type Elementwise = (a: [number, number], b: [number, number]) => [number, number];

const ARITHMETIC: Record<string, Elementwise> = {
  Add: (a, b) => [a[0] + b[0], a[1] + b[1]],
  Sub: (a, b) => [a[0] - b[0], a[1] - b[1]],
  Multiply: (a, b) => [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]],
};

/** a and b as complex tensors of one shape, combined element by element. */
function combine(kernelName: string, inputs: Record<string, TensorInfo>, heap: Heap): TensorInfo {
  const f = ARITHMETIC[kernelName]!;
  const operands = [inputs.a!, inputs.b!].map((x) =>
    runHeedKernel("Cast", { x }, { dtype: "complex64" }, heap),
  );
  const [a, b] = operands as [TensorInfo, TensorInfo];
  const shape = broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
  const out = heap.output(kernelName, shape, "complex64");
  const [to, va, vb] = [pairs(heap, out), pairs(heap, a), pairs(heap, b)];
  const [ia, ib] = [readingOrder(a.shape, shape), readingOrder(b.shape, shape)];
  for (let i = 0; i < util.sizeFromShape(shape); i++) {
    const [p, q] = [2 * ia(i), 2 * ib(i)];
    const value = f([va[p]!, va[p + 1]!], [vb[q]!, vb[q + 1]!]);
    to.set(value, 2 * i);
  }
  for (const x of operands) heap.dispose(x);
  return out;
}

const isComplex = (x: TensorInfo | undefined) => x?.dtype === "complex64";

/** `kernel` for real tensors; complex ones are added, subtracted or multiplied here. */
export function orComplex(kernelName: string, kernel: HeedKernel): HeedKernel {
  return (call) =>
    isComplex(call.inputs.a) || isComplex(call.inputs.b)
      ? combine(kernelName, call.inputs, call.heap)
      : kernel(call);
}

/** Cast, to and from complex numbers too: the imaginary part is 0, or left out. */
export function complexCast(cast: HeedKernel): HeedKernel {
  return (call) => {
    const { inputs, attrs, heap } = call;
    const x = inputs.x as TensorInfo;
    if (x.dtype === attrs.dtype || (x.dtype !== "complex64" && attrs.dtype !== "complex64"))
      return cast(call);
    if (x.dtype === "complex64") {
      const a = real({ inputs: { input: x }, attrs: {}, heap }) as TensorInfo;
      const out = runHeedKernel("Cast", { x: a }, attrs, heap);
      heap.dispose(a);
      return out;
    }
    const a = runHeedKernel("Cast", { x }, { dtype: "float32" }, heap);
    const out = join(heap, a, undefined);
    heap.dispose(a);
    return out;
  };
}

const onesLike: HeedKernel = ({ inputs, attrs, heap }) => {
  const x = inputs.x as TensorInfo;
  if (!isComplex(x)) return runStockKernel("OnesLike", inputs, attrs, heap);
  const out = heap.output("onesLike", x.shape, "complex64");
  const to = pairs(heap, out).fill(0);
  for (let i = 0; i < to.length; i += 2) to[i] = 1;
  return out;
};

/** Kernels of complex tensors, by TensorFlow.js' names; the stock backend has none. */
export const complexKernels: Record<string, HeedKernel> = {
  Complex: complex,
  Real: real,
  Imag: part("imag", (_, b) => b, "input"),
  ComplexAbs: part("abs", Math.hypot, "x"),
  FFT: fourier("fft", false),
  IFFT: fourier("ifft", true),
  OnesLike: onesLike,
};
