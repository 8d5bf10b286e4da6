/** Kernels of TensorFlow.js that fail on what heed's layers do, with what they miss. */
import { getKernel, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { KernelInputs } from "../../register.ts";
import { BACKEND } from "../backend.ts";
import type { Gpu } from "../gpu.ts";
import type { GpuKernel } from "../register.ts";
import { perElement } from "../shader.ts";
import { padded, transposed } from "./rearrange.ts";

type StockKernel = (inputs: KernelInputs | TensorInfo[], attrs: object, gpu: Gpu) => TensorInfo;

/** The stock kernel of this name, which ours replaces in the registry. */
function stock(name: string): StockKernel {
  const { kernelFunc } = getKernel(name, BACKEND)!;
  return (inputs, attrs, { backend }) =>
    kernelFunc({ inputs: inputs as never, attrs: attrs as never, backend }) as TensorInfo;
}

/**
 * The sum of a list of tensors: stock binds all of them at once, which a device of eight storage buffers refuses from the
 * eighth on, where nobody sees it.
 */
export function addN(): GpuKernel {
  const add = stock("AddN");
  return ({ inputs, gpu }) => {
    let rest = Object.values(inputs);
    const most = gpu.device.limits.maxStorageBuffersPerShaderStage - 1;
    let made: TensorInfo | undefined;
    const addedTo = (tensors: TensorInfo[]) => {
      const sum = add(tensors, {}, gpu);
      if (made) gpu.dispose(made);
      return sum;
    };
    while (rest.length > most) {
      made = addedTo(rest.slice(0, most));
      rest = [made, ...rest.slice(most)];
    }
    return addedTo(rest);
  };
}

/**
 * Another dtype. From int32 or bool to float32 stock hands on the integers under the name of floats: its own shaders ask what a buffer
 * holds and convert, its transpose fails, and a shader that takes a tensor at its word reads other numbers.
 */
export function cast(): GpuKernel {
  const change = stock("Cast");
  return ({ inputs, attrs, gpu }) => {
    const x = inputs.x!;
    const isInteger = x.dtype === "int32" || x.dtype === "bool";
    if (attrs.dtype !== "float32" || !isInteger) return change(inputs, attrs, gpu);
    const out = gpu.output(x.shape);
    const pass = perElement(
      {
        label: "cast",
        buffers: { x: "i32", out: "f32" },
        writes: ["out"],
        uniforms: { n: ["u32", util.sizeFromShape(x.shape)] },
      },
      "  out[i] = f32(x[i]);",
    );
    gpu.run([pass], { x, out });
    return out;
  };
}

/** Axes in another order: stock's shader takes numbers for float32, and fails on int32 and bool. */
export function transpose(): GpuKernel {
  const reorder = stock("Transpose");
  return ({ inputs, attrs, gpu }) => {
    const x = inputs.x!;
    const isStock = x.dtype === "float32" || x.dtype === "complex64" || x.dtype === "string";
    return isStock ? reorder(inputs, attrs, gpu) : transposed(gpu, x, attrs.perm as number[]);
  };
}

/** Paddings: stock's shader has no words for more than four axes. */
export function pad(): GpuKernel {
  const fill = stock("PadV2");
  return ({ inputs, attrs, gpu }) => {
    const x = inputs.x!;
    const { paddings, constantValue } = attrs as { paddings: [number, number][]; constantValue: number };
    if (x.shape.length <= 4 || util.sizeFromShape(x.shape) === 0) return fill(inputs, attrs, gpu);
    return padded(gpu, x, paddings, constantValue);
  };
}

/** Sums over axes: stock asks for a buffer of no size where x has no elements; they are 0. */
export function sum(): GpuKernel {
  const add = stock("Sum");
  return ({ inputs, attrs, gpu }) => {
    const { shape } = inputs.x!;
    if (util.sizeFromShape(shape) > 0) return add(inputs, attrs, gpu);
    const { axis, keepDims } = attrs as { axis?: number | number[]; keepDims?: boolean };
    const axes = util.parseAxisParam(axis ?? shape.map((_, n) => n), shape);
    const left = shape.flatMap((n, at) => (axes.includes(at) ? (keepDims ? [1] : []) : [n]));
    return gpu.numbers(left, new Float32Array(util.sizeFromShape(left)));
  };
}
