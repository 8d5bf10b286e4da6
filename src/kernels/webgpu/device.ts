/** The device that kernels of WebGPU run on: of the page, of Node's `webgpu` package, or one that the caller has. */
import { DeviceError, OptionError } from "../../core/errors.ts";
import type { PassLimits } from "./pass.ts";
import type { ShaderFeatures } from "./shader.ts";

/** A device that is there, and what it can do. */
export interface GpuDevice {
  readonly device: GPUDevice;
  readonly limits: PassLimits;
  readonly features: Required<ShaderFeatures>;
  /** Why it went away, once it has. */
  lost: string | undefined;
}

let current: Promise<GpuDevice> | undefined;
let instance: Promise<GPU | undefined> | undefined;

/** Where this process has WebGPU from. */
async function findGpu(): Promise<GPU | undefined> {
  const here = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (here) return here;
  // Not a literal: a bundler for pages has nothing to look for, and Node loads it for those alone who installed it.
  const name = "webgpu";
  try {
    const { create, globals } = await import(/* @vite-ignore */ name);
    Object.assign(globalThis, globals);
    return create([]);
  } catch {
    return undefined;
  }
}

/** What is asked of an adapter: all that it has of what the passes can use, and the rest as WebGPU promises it. */
const LIMITS = [
  "maxStorageBuffersPerShaderStage",
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxComputeWorkgroupsPerDimension",
  "maxComputeWorkgroupStorageSize",
] as const;

/**
 * Takes a device for the kernels of heed, in place of one that they would ask for: that of TensorFlow.js' `webgpu` backend.
 *
 * @throws OptionError UNSUPPORTED where its limits are below those that WebGPU promises
 */
export function adoptDevice(device: GPUDevice): GpuDevice {
  const { limits, features } = device;
  for (const [name, least] of [
    ["maxStorageBuffersPerShaderStage", 8],
    ["maxComputeWorkgroupStorageSize", 16384],
    ["maxComputeInvocationsPerWorkgroup", 64],
  ] as const) {
    if (limits[name] >= least) continue;
    throw new OptionError("UNSUPPORTED", {
      op: "webgpu",
      rule: `a device must have ${name} of at least ${least}`,
      got: limits[name],
      remedy: "ask the adapter for more, or use the WebAssembly kernels",
    });
  }
  const gpu: GpuDevice = {
    device,
    limits,
    features: { half: features.has("shader-f16"), subgroups: features.has("subgroups") },
    lost: undefined,
  };
  const kept = Promise.resolve(gpu);
  current = kept;
  device.lost.then(({ reason, message }) => {
    gpu.lost = message || reason;
    if (current === kept) current = undefined;
  });
  return gpu;
}

async function request(op: string): Promise<GpuDevice> {
  instance ??= findGpu();
  const gpu = await instance;
  if (!gpu) {
    instance = undefined;
    throw new OptionError("UNSUPPORTED", {
      op,
      rule: "WebGPU must be there",
      got: "neither navigator.gpu nor the package webgpu",
      remedy: "use a browser with WebGPU, npm install webgpu for Node, or the WebAssembly kernels",
    });
  }
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new OptionError("UNSUPPORTED", {
      op,
      rule: "WebGPU must have an adapter",
      got: "none",
      remedy: "install a driver of Vulkan, Metal or Direct3D 12, or use the WebAssembly kernels",
    });
  }
  return adoptDevice(await deviceOf(adapter));
}

/** A device with all that its adapter has of what the passes can use. */
export function deviceOf(adapter: GPUAdapter): Promise<GPUDevice> {
  const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
  const wanted = (["shader-f16", "subgroups"] as GPUFeatureName[]).filter((name) =>
    adapter.features.has(name),
  );
  return adapter.requestDevice({ requiredLimits, requiredFeatures: wanted });
}

/**
 * The device of this process, asked for at the first call and again after one was lost.
 *
 * @throws OptionError UNSUPPORTED where there is no WebGPU, no adapter, or one with too little
 */
export async function gpuDevice(op = "webgpu"): Promise<GpuDevice> {
  const asked = current ?? request(op);
  current = asked;
  try {
    return await asked;
  } catch (error) {
    if (current === asked) current = undefined;
    throw error;
  }
}

/** The error of a call whose device went away. */
export function lostDevice(op: string, gpu: GpuDevice, cause?: unknown): DeviceError<"LOST"> {
  const fault = {
    op,
    rule: "the GPU device must stay until the call is over",
    got: `a lost device (${gpu.lost ?? "no reason given"})`,
    remedy: "call again: the next call asks for a new device",
  };
  return new DeviceError("LOST", fault, { cause });
}
