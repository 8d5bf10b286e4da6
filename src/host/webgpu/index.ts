/**
 * heed on TensorFlow.js' own `webgpu` backend: attention and what a training step needs as shaders on its device, in its
 * queue, on its tensors, without copies. In Node WebGPU comes from the package `webgpu`.
 *
 * @example
 * import { useWebGpu } from "heed/webgpu";
 * await useWebGpu(); // from here on tensors live on the graphics card
 *
 * @module
 */
import {
  engine,
  findBackendFactory,
  type KernelBackend,
  ready,
  registerBackend,
  removeBackend,
  setBackend,
} from "@tensorflow/tfjs-core";
import { HeedError } from "../../core/errors.ts";
import { gpuDevice } from "../../kernels/webgpu/device.ts";
import { BACKEND } from "./backend.ts";
import { type Gpu, gpuOf } from "./gpu.ts";
import { registerGpuKernels } from "./ops/index.ts";

const OP = "useWebGpu";
/** That of TensorFlow.js. */
const PRIORITY = 3;

/** What the device is and can do. */
export interface WebGpuInfo {
  /** In the words of the driver. */
  readonly adapter: string;
  /** Whether shaders may exchange numbers within a subgroup. */
  readonly subgroups: boolean;
  /** Whether shaders may keep numbers in 16 bits. */
  readonly float16: boolean;
  /** The most bytes of one tensor. */
  readonly maxTensorBytes: number;
}

/** The backend that runs, if one does: TensorFlow.js starts one when it is first asked for. */
function running(): Gpu | undefined {
  const { registry } = engine() as unknown as { registry: Record<string, KernelBackend | undefined> };
  const backend = registry[BACKEND];
  return backend && gpuOf(backend);
}

/** TensorFlow.js' package, which registers its kernels once it is loaded. */
async function loadStock() {
  try {
    return await import("@tensorflow/tfjs-backend-webgpu");
  } catch (cause) {
    const fault = {
      op: OP,
      rule: "the package @tensorflow/tfjs-backend-webgpu must be there",
      got: "none",
      remedy: "run npm install @tensorflow/tfjs-backend-webgpu",
    };
    throw new HeedError("UNSUPPORTED", fault, { cause });
  }
}

/** Runs `make` where TensorFlow.js finds `navigator.gpu`, which it asks for although it is given a device. */
function withNavigator<T>(make: () => T): T {
  const there = globalThis.navigator as { gpu?: object } | undefined;
  if (there?.gpu) return make();
  const target = there ?? globalThis;
  const name = there ? "gpu" : "navigator";
  Object.defineProperty(target, name, { value: there ? {} : { gpu: {} }, configurable: true });
  try {
    return make();
  } finally {
    delete (target as Record<string, unknown>)[name];
  }
}

async function start(): Promise<Gpu> {
  const { device } = await gpuDevice(OP);
  const { WebGPUBackend } = await loadStock();
  // The types of TensorFlow.js are those of an earlier WebGPU.
  const backend = withNavigator(() => new WebGPUBackend(device as never, device.adapterInfo as never));
  if (findBackendFactory(BACKEND)) removeBackend(BACKEND);
  registerBackend(BACKEND, () => backend, PRIORITY);
  return gpuOf(backend);
}

/**
 * Starts TensorFlow.js' `webgpu` backend with heed's kernels and makes it the current one: on a device with all that the
 * adapter offers of limits, subgroups and 16-bit floats. One that runs already stays, with its device and its tensors.
 * After a lost device, which every later call says, call this again: it starts a new one, and the tensors of the old one
 * are gone.
 *
 * Results are waited for, `await tensor.data()`: `dataSync` of what the device computed is refused. Importing this changes
 * nothing.
 *
 * @throws OptionError UNSUPPORTED without WebGPU, without an adapter, or where its limits are too small; HeedError UNSUPPORTED
 *   without TensorFlow.js' package of this backend
 * @example
 * const { adapter, subgroups } = await useWebGpu();
 */
export async function useWebGpu(): Promise<WebGpuInfo> {
  const before = running();
  const gpu = before && !before.isLost ? before : await start();
  // After TensorFlow.js' own kernels, some of which ours stand in for.
  registerGpuKernels();
  if (!(await setBackend(BACKEND))) {
    throw new HeedError("UNSUPPORTED", {
      op: OP,
      rule: `the backend "${BACKEND}" must start`,
      got: "a failure, whose reason TensorFlow.js has printed",
      remedy: "use heed/backend",
    });
  }
  await ready();
  const { device } = gpu;
  const { description, vendor, architecture } = device.adapterInfo;
  const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
  return {
    adapter: description || `${vendor} ${architecture}`.trim(),
    subgroups: device.features.has("subgroups"),
    float16: device.features.has("shader-f16"),
    maxTensorBytes: Math.min(maxBufferSize, maxStorageBufferBindingSize),
  };
}
