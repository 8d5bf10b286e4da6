import { getKernel, registerKernel, type TensorInfo, unregisterKernel } from "@tensorflow/tfjs-core";
import type { KernelInputs } from "../register.ts";
import { BACKEND } from "./backend.ts";
import { type Gpu, gpuOf } from "./gpu.ts";

/** A kernel as ours are written for the device: named inputs and attributes, and the backend they live on. */
export type GpuKernel = (call: {
  inputs: KernelInputs;
  attrs: Record<string, unknown>;
  gpu: Gpu;
}) => TensorInfo | TensorInfo[];

/** Registers a kernel for the `webgpu` backend, silently in the place of one of the same name. */
export function registerGpuKernel(kernelName: string, kernel: GpuKernel): void {
  const before = getKernel(kernelName, BACKEND);
  if (before) unregisterKernel(kernelName, BACKEND);
  registerKernel({
    kernelName,
    backendName: BACKEND,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const gpu = gpuOf(backend);
      const call = { inputs: inputs as KernelInputs, attrs: (attrs ?? {}) as Record<string, unknown>, gpu };
      return gpu.kernel(kernelName, () => kernel(call));
    },
  });
}
