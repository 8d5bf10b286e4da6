/** Runs passes on a device: buffers and pipelines are kept for the next call, data go there and come back. */
import { DeviceError, MemoryError, OptionError } from "../../core/errors.ts";
import { type GpuDevice, gpuDevice, lostDevice } from "./device.ts";
import type { PassPlan, ShaderPass } from "./pass.ts";

/** Arrays by the name of their buffer. */
export type NamedArrays = Readonly<Record<string, ArrayBufferView>>;

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

interface Kept {
  readonly pipelines: Map<string, Pipeline>;
  /** Buffers that nobody uses, by use and size. */
  readonly free: Map<string, GPUBuffer[]>;
  bytes: number;
}

const kept = new WeakMap<GPUDevice, Kept>();

function keptBy(device: GPUDevice): Kept {
  const known = kept.get(device);
  if (known) return known;
  const made: Kept = { pipelines: new Map(), free: new Map(), bytes: 0 };
  kept.set(device, made);
  return made;
}

/** Bytes of the buffers that a device keeps for the next call. */
export async function gpuMemoryBytes(): Promise<number> {
  return keptBy((await gpuDevice()).device).bytes;
}

/** Sizes of buffers: powers of two up to 1 MiB, then steps of an eighth of one, so that they can be used again. */
function roomOf(bytes: number): number {
  const most = 2 ** Math.ceil(Math.log2(Math.max(bytes, 256)));
  if (most <= 2 ** 20) return most;
  const step = most / 16;
  return Math.ceil(bytes / step) * step;
}

const padded = (bytes: number) => Math.max(16, Math.ceil(bytes / 16) * 16);

/** The buffers of one call. */
class Buffers {
  readonly #device: GPUDevice;
  readonly #kept: Kept;
  readonly #taken: [string, GPUBuffer][] = [];

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#kept = keptBy(device);
  }

  take(bytes: number, usage: number): GPUBuffer {
    const size = roomOf(bytes);
    const key = `${usage}:${size}`;
    let buffer = this.#kept.free.get(key)?.pop();
    if (!buffer) {
      buffer = this.#device.createBuffer({ size, usage });
      this.#kept.bytes += size;
    }
    this.#taken.push([key, buffer]);
    return buffer;
  }

  /** Puts all back, or, after an error, gives them up. */
  release(isSound: boolean): void {
    for (const [key, buffer] of this.#taken) {
      if (isSound) {
        const others = this.#kept.free.get(key) ?? [];
        others.push(buffer);
        this.#kept.free.set(key, others);
      } else {
        this.#kept.bytes -= buffer.size;
        buffer.destroy();
      }
    }
  }
}

/**
 * The pipeline of a pass, compiled at its first use. Layouts are made by hand: one that WebGPU makes leaves out what a shader
 * does not read.
 */
export function pipelineOf(device: GPUDevice, { label, code, bindings }: ShaderPass): Pipeline {
  const { pipelines } = keptBy(device);
  const known = pipelines.get(code);
  if (known) return known;
  const types = bindings.map(({ access }) => (access === "read" ? "read-only-storage" : "storage"));
  const layout = device.createBindGroupLayout({
    label,
    entries: [...types, "uniform" as const].map((type, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: type as GPUBufferBindingType },
    })),
  });
  const module = device.createShaderModule({ label, code });
  const made = {
    layout,
    pipeline: device.createComputePipeline({
      label,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: "main" },
    }),
  };
  pipelines.set(code, made);
  return made;
}

interface Bound {
  readonly buffer: GPUBuffer;
  readonly bytes: number;
}

function encodePass(
  device: GPUDevice,
  encoder: GPUComputePassEncoder,
  pass: ShaderPass,
  bound: Map<string, Bound>,
  buffers: Buffers,
) {
  const { pipeline, layout } = pipelineOf(device, pass);
  const entries: GPUBindGroupEntry[] = pass.bindings.map(({ name, offset = 0, size }, binding) => {
    const { buffer, bytes } = bound.get(name)!;
    return { binding, resource: { buffer, offset, size: padded(size ?? bytes - offset) } };
  });
  const uniforms = buffers.take(pass.uniforms.byteLength, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
  device.queue.writeBuffer(uniforms, 0, pass.uniforms);
  entries.push({ binding: entries.length, resource: { buffer: uniforms, size: pass.uniforms.byteLength } });
  encoder.setPipeline(pipeline);
  encoder.setBindGroup(0, device.createBindGroup({ layout, entries }));
  encoder.dispatchWorkgroups(...pass.workgroups);
}

/** Copies results into one buffer that can be read, and reads it. */
async function readBack(
  device: GPUDevice,
  encoder: GPUCommandEncoder,
  bound: Map<string, Bound>,
  results: readonly string[],
): Promise<Record<string, Float32Array<ArrayBuffer>>> {
  const sizes = results.map((name) => bound.get(name)!.bytes);
  const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
  const target = device.createBuffer({
    size: Math.max(total, 4),
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  try {
    let at = 0;
    results.forEach((name, n) => {
      if (sizes[n]! > 0) encoder.copyBufferToBuffer(bound.get(name)!.buffer, 0, target, at, sizes[n]!);
      at += sizes[n]!;
    });
    device.queue.submit([encoder.finish()]);
    await target.mapAsync(GPUMapMode.READ);
    const all = target.getMappedRange();
    at = 0;
    return Object.fromEntries(
      results.map((name, n) => {
        const values = new Float32Array(all.slice(at, at + sizes[n]!));
        at += sizes[n]!;
        return [name, values];
      }),
    );
  } finally {
    target.destroy();
  }
}

/** @throws OptionError UNSUPPORTED where a pass keeps numbers in 16 bits, which the device does not offer */
function checkHalf(op: string, { features, device }: GpuDevice, passes: readonly ShaderPass[]): void {
  if (features.half || !passes.some(({ code }) => code.startsWith("enable f16;"))) return;
  throw new OptionError("UNSUPPORTED", {
    op,
    rule: "a device must have shader-f16 to keep numbers of float16",
    got: `none on ${device.adapterInfo.description || "this device"}`,
    remedy: "pass float32, or use halfAttention",
  });
}

/** An array as a device takes it: whole words of four bytes. */
function wholeWords(array: ArrayBufferView): ArrayBufferView<ArrayBuffer> {
  if (array.byteLength % 4 === 0) return array as ArrayBufferView<ArrayBuffer>;
  const bytes = new Uint8Array(4 * Math.ceil(array.byteLength / 4));
  bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return bytes;
}

/**
 * Runs passes on arrays of ordinary memory: `inputs` are sent, `results` say how many float32 numbers come back.
 *
 * @throws OptionError UNSUPPORTED · DeviceError LOST, FAULT · MemoryError MEMORY
 */
export async function runPasses(
  op: string,
  gpu: GpuDevice,
  { passes, scratch }: PassPlan,
  inputs: NamedArrays,
  results: Readonly<Record<string, number>>,
): Promise<Record<string, Float32Array<ArrayBuffer>>> {
  if (gpu.lost !== undefined) throw lostDevice(op, gpu);
  const { device } = gpu;
  checkHalf(op, gpu, passes);
  const buffers = new Buffers(device);
  const bound = new Map<string, Bound>();
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  device.pushErrorScope("validation");
  device.pushErrorScope("out-of-memory");
  let values: Record<string, Float32Array<ArrayBuffer>> | undefined;
  let thrown: unknown;
  try {
    for (const [name, array] of Object.entries(inputs)) {
      const buffer = buffers.take(padded(array.byteLength), usage);
      bound.set(name, { buffer, bytes: array.byteLength });
      if (array.byteLength > 0) device.queue.writeBuffer(buffer, 0, wholeWords(array));
    }
    for (const [name, bytes] of [
      ...Object.entries(scratch),
      ...Object.entries(results).map(([name, count]) => [name, 4 * count] as const),
    ]) {
      bound.set(name, { buffer: buffers.take(padded(bytes), usage), bytes });
    }
    const encoder = device.createCommandEncoder({ label: op });
    const pass = encoder.beginComputePass({ label: op });
    for (const each of passes) encodePass(device, pass, each, bound, buffers);
    pass.end();
    values = await readBack(device, encoder, bound, Object.keys(results));
  } catch (error) {
    thrown = error;
  }
  const [memory, validation] = [await device.popErrorScope(), await device.popErrorScope()];
  buffers.release(values !== undefined && !memory && !validation);
  if (gpu.lost !== undefined) throw lostDevice(op, gpu, thrown);
  if (memory) {
    const got = memory.message || "a refusal";
    const remedy = "use shorter sequences or smaller batches";
    throw new MemoryError("MEMORY", {
      op,
      rule: "its arrays must fit in the memory of the GPU",
      got,
      remedy,
    });
  }
  if (validation || !values) {
    throw new DeviceError(
      "FAULT",
      {
        op,
        rule: "the device must take the passes of this call",
        got: validation?.message ?? String(thrown),
        remedy: "this is a fault of heed: please report it with the options of the call",
      },
      { cause: thrown },
    );
  }
  return values;
}
