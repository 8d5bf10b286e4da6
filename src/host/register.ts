import {
  getKernel,
  getKernelsForBackend,
  type KernelConfig,
  type KernelFunc,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from "@tensorflow/tfjs-core";
import { HeedError } from "../core/errors.ts";
import { type Heap, heapOf } from "./heap.ts";
import { metered } from "./meter.ts";
import { replayed } from "./replay.ts";

/** The name of our backend: `tf.setBackend(BACKEND)`. */
export const BACKEND = "heed";

/** The inputs of a kernel by name; one that the caller may leave out is `undefined`. */
export type KernelInputs = Record<string, TensorInfo>;

/** A kernel as ours are written: named inputs and attributes, and the heap they live on. */
export type HeedKernel = (call: {
  inputs: KernelInputs;
  attrs: Record<string, unknown>;
  heap: Heap;
}) => TensorInfo | TensorInfo[];

/**
 * Registers a kernel for the `heed` backend, silently replacing the one copied from the stock backend. The stock
 * set-up function stays: stock kernels call one another directly (Sum calls Transpose), past the registry.
 */
export function registerHeedKernel(kernelName: string, kernel: HeedKernel): void {
  register({
    kernelName,
    backendName: BACKEND,
    setupFunc: getKernel(kernelName, BACKEND)?.setupFunc,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const heap = heapOf(backend);
      const call = { inputs: inputs as KernelInputs, attrs: attrs ?? {}, heap };
      return replayed(kernelName, call.inputs, shareOn(heap), () =>
        metered(kernelName, true, () => heap.kernel(kernelName, () => kernel(call))),
      );
    },
  });
}

const shareOn = (heap: Heap) => (tensor: TensorInfo) => heap.share(tensor);

/** Gives `heed` every kernel of the stock `wasm` backend, which keeps its own. */
export function copyStockKernels(): void {
  for (const config of getKernelsForBackend("wasm")) {
    const { kernelName, kernelFunc } = config;
    const named: KernelFunc = (call) => {
      const inputs = call.inputs as KernelInputs;
      checkStrings(kernelName, inputs);
      const heap = heapOf(call.backend);
      return replayed(kernelName, inputs, shareOn(heap), () =>
        metered(kernelName, false, () => heap.kernel(kernelName, () => kernelFunc(call))),
      );
    };
    register({ ...config, backendName: BACKEND, kernelFunc: named });
  }
}

/** Stock kernels that take strings. */
const TAKES_STRINGS = new Set(
  (
    "Concat ExpandDims Fill Identity Pack Reshape Slice SplitV Unpack StringNGrams StringSplit " +
    "StringToHashBucketFast SparseFillEmptyRows"
  ).split(" "),
);

/** Other stock kernels end the whole WebAssembly module when they are given strings. */
function checkStrings(kernelName: string, inputs: KernelInputs): void {
  if (TAKES_STRINGS.has(kernelName)) return;
  for (const [name, x] of Object.entries(inputs)) {
    if (x?.dtype !== "string") continue;
    throw new HeedError("UNSUPPORTED", {
      op: kernelName,
      rule: `the backend "heed" runs this operation on numbers and truth values, and ${name} must be of them`,
      got: "strings",
      remedy: "do it on another backend, or on indices of the strings",
    });
  }
}

/** Runs the stock kernel of this name on our heap, for the dtypes that ours leaves to it. */
export function runStockKernel(name: string, inputs: KernelInputs, attrs: object, heap: Heap): TensorInfo {
  checkStrings(name, inputs);
  const call = { inputs, attrs: attrs as never, backend: heap.backend };
  const made = metered(name, false, () => getKernel(name, "wasm")!.kernelFunc(call));
  for (const tensor of [made].flat()) heap.own(tensor);
  return made as TensorInfo;
}

/** The stock kernel of this name, as ours are written. */
export function stock(name: string): HeedKernel {
  return ({ inputs, attrs, heap }) => runStockKernel(name, inputs, attrs, heap);
}

/** Runs another kernel of the `heed` backend from inside a kernel; its output is the caller's to dispose. */
export function runHeedKernel(name: string, inputs: KernelInputs, attrs: object, heap: Heap): TensorInfo {
  const call = { inputs, attrs: attrs as never, backend: heap.backend };
  return getKernel(name, BACKEND)!.kernelFunc(call) as TensorInfo;
}

function register(config: KernelConfig): void {
  if (getKernel(config.kernelName, BACKEND)) unregisterKernel(config.kernelName, BACKEND);
  registerKernel(config);
}
