import { getKernel, type KernelConfig, registerKernel, type TensorInfo, unregisterKernel } from "@tensorflow/tfjs-core";
import { type Heap, heapOf } from "./heap.ts";

/** The name of our backend: `tf.setBackend(BACKEND)`. */
export const BACKEND = "heed";

/** A kernel as ours are written: named inputs and attributes, and the heap they live on. */
export type HeedKernel = (call: {
  inputs: Record<string, TensorInfo>;
  attrs: Record<string, unknown>;
  heap: Heap;
}) => TensorInfo | TensorInfo[];

/** Registers a kernel for the `heed` backend, silently replacing the one copied from the stock backend. */
export function registerHeedKernel(kernelName: string, kernel: HeedKernel): void {
  if (getKernel(kernelName, BACKEND)) unregisterKernel(kernelName, BACKEND);
  const config: KernelConfig = {
    kernelName,
    backendName: BACKEND,
    kernelFunc: ({ inputs, attrs, backend }) =>
      kernel({ inputs: inputs as Record<string, TensorInfo>, attrs: attrs ?? {}, heap: heapOf(backend) }),
  };
  registerKernel(config);
}
