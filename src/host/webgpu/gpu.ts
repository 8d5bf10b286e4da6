/** One live WebGPU backend of TensorFlow.js, and heed's shaders on its device, in its passes, over its buffers. */
import { type DataType, env, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { DeviceError, HeedError, MemoryError } from "../../core/errors.ts";
import type { PassPlan, ShaderPass } from "../../kernels/webgpu/pass.ts";
import { pipelineOf } from "../../kernels/webgpu/runner.ts";
import { MadeTensors } from "../made.ts";
import type { WebGpuBackend } from "./backend.ts";

/** TensorFlow.js keeps every number, bool too, in four bytes. */
const BYTES = 4;

/**
 * Runs passes where TensorFlow.js runs its own: recorded into its open compute pass, so that order is kept without
 * waiting, on the buffers of its tensors, so that nothing is copied. A tensor is uploaded when a pass first reads it.
 */
export class Gpu {
  readonly backend: WebGpuBackend;
  readonly device: GPUDevice;
  /** A buffer for tensors without elements, which have none: one to read, one to write. */
  #nothing: Record<"read" | "read_write", GPUBuffer> | undefined;
  #lost: string | undefined;
  #fault: GPUError | undefined;
  #op = "webgpu";
  readonly #made = new MadeTensors((tensor) => this.dispose(tensor));

  constructor(backend: WebGpuBackend) {
    this.backend = backend;
    this.device = backend.device;
    void this.device.lost.then(({ reason, message }) => {
      this.#lost = message || reason;
    });
    this.device.addEventListener("uncapturederror", (event) => {
      this.#fault ??= (event as GPUUncapturedErrorEvent).error;
    });
    this.#guardReading();
  }

  /** Whether the device is gone, and its tensors with it. */
  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** A tensor on the device, of no values yet. */
  output(shape: number[], dtype: DataType = "float32"): TensorInfo {
    this.#checkSize(shape);
    const tensor = this.backend.makeTensorInfo(shape, dtype);
    this.#made.add(tensor);
    const held = this.backend.tensorMap.get(tensor.dataId);
    if (util.sizeFromShape(shape) === 0) held.values = util.getTypedArrayFromDType(dtype as "float32", 0);
    return tensor;
  }

  /** A tensor of these numbers, which travel with the first pass that reads it. */
  numbers(shape: number[], values: Float32Array | Int32Array): TensorInfo {
    this.#checkSize(shape);
    const dtype = values instanceof Int32Array ? "int32" : "float32";
    const tensor = this.backend.makeTensorInfo(shape, dtype, values);
    this.#made.add(tensor);
    return tensor;
  }

  /** The same elements under another shape: no kernel writes into a tensor that exists. */
  share({ dataId, dtype }: TensorInfo, shape: number[]): TensorInfo {
    (this.backend as unknown as { incRef(dataId: object): void }).incRef(dataId);
    const tensor = { dataId, dtype, shape };
    this.#made.add(tensor);
    return tensor;
  }

  /** Frees a tensor that a kernel made for itself, once what reads it has run. */
  dispose(tensor: TensorInfo): void {
    this.#made.delete(tensor);
    this.backend.disposeData(tensor.dataId);
  }

  /** Runs the kernel `op`. When it throws, the outputs it had made by then are freed. */
  kernel<T>(op: string, run: () => T): T {
    const outerOp = this.#op;
    this.#op = op;
    try {
      this.check();
      return this.#made.during(run);
    } finally {
      this.#op = outerOp;
    }
  }

  /**
   * Records passes, in their order, on tensors by the names of their bindings. Tensors that one pass writes and another
   * reads come from `output`.
   *
   * @throws HeedError FAULT where a pass names a tensor that is not there
   */
  run(passes: readonly ShaderPass[], tensors: Readonly<Record<string, TensorInfo>>): void {
    for (const pass of passes) {
      // Uploads end the open pass: all of them come before it.
      for (const { name } of pass.bindings) this.#tensorOf(pass, name, tensors);
      const [x, y, z] = pass.workgroups;
      if (x * y * z > 0) this.#record(pass, tensors);
    }
  }

  /** `run` of a plan, with tensors for its scratch. */
  runPlan({ passes, scratch }: PassPlan, tensors: Readonly<Record<string, TensorInfo>>): void {
    const made = Object.entries(scratch).map(
      ([name, bytes]) => [name, this.output([Math.ceil(bytes / BYTES)])] as const,
    );
    this.run(passes, { ...tensors, ...Object.fromEntries(made) });
    for (const [, tensor] of made) this.dispose(tensor);
  }

  /** @throws DeviceError LOST on a lost device · MemoryError MEMORY, DeviceError FAULT after a pass that failed */
  check(): void {
    const op = this.#op;
    if (this.#lost !== undefined) throw lostDevice(op, this.#lost);
    const fault = this.#fault;
    this.#fault = undefined;
    if (!fault) return;
    const said = fault.message.split("\n")[0]!;
    const error = {
      op,
      rule: "every pass that was sent to the device before must have run",
      got: said,
      remedy: "report it with what was called",
    };
    if (!(fault instanceof GPUOutOfMemoryError)) throw new DeviceError("FAULT", error, { cause: fault });
    const remedy = "dispose tensors, or use a smaller batch";
    throw new MemoryError("MEMORY", { ...error, rule: "the device must have room", remedy });
  }

  #record(pass: ShaderPass, tensors: Readonly<Record<string, TensorInfo>>): void {
    const { backend } = this;
    const { pipeline, layout } = pipelineOf(this.device, pass);
    const uniforms = backend.bufferManager.acquireBuffer(
      pass.uniforms.byteLength,
      GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    );
    backend.queue.writeBuffer(uniforms, 0, pass.uniforms);
    const bound = pass.bindings.map(({ name, access, offset = 0, size }) => {
      const { dataId } = tensors[name]!;
      backend.commandQueueOwnedIds.add(dataId);
      const buffer = backend.tensorMap.get(dataId).resource;
      if (!buffer) return { buffer: this.#none(access) };
      return { buffer, offset, ...(size !== undefined && { size }) };
    });
    const entries = [...bound, { buffer: uniforms }].map((resource, binding) => ({ binding, resource }));
    backend.ensureCommandEncoderReady();
    backend.computePassEncoder ??= backend.commandEncoder!.beginComputePass();
    const encoder = backend.computePassEncoder;
    encoder.setPipeline(pipeline);
    encoder.setBindGroup(0, this.device.createBindGroup({ layout, entries }));
    encoder.dispatchWorkgroups(...pass.workgroups);
    backend.dispatchCountInPass++;
    backend.uniformPendingDisposal.push(uniforms);
    if (backend.dispatchCountInPass < env().getNumber("WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE")) return;
    backend.endComputePassEncoder();
    backend.submitQueue();
  }

  /** The tensor of a binding, on the device. */
  #tensorOf(pass: ShaderPass, name: string, tensors: Readonly<Record<string, TensorInfo>>): void {
    const tensor = tensors[name];
    if (!tensor) {
      throw new HeedError("FAULT", {
        op: pass.label,
        rule: "each binding must have a tensor",
        got: `none for ${name}`,
        remedy: "report it",
      });
    }
    if (util.sizeFromShape(tensor.shape) > 0) this.backend.uploadToGPU(tensor.dataId);
  }

  #none(access: "read" | "read_write"): GPUBuffer {
    const make = () => this.device.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE });
    this.#nothing ??= { read: make(), read_write: make() };
    return this.#nothing[access];
  }

  /** @throws MemoryError LIMIT */
  #checkSize(shape: number[]): void {
    const { maxStorageBufferBindingSize: most, maxBufferSize } = this.device.limits;
    const bytes = util.sizeFromShape(shape) * BYTES;
    const limit = Math.min(most, maxBufferSize);
    if (bytes <= limit) return;
    throw new MemoryError("LIMIT", {
      op: this.#op,
      rule: `a tensor must fit a binding of the device, ${limit} bytes`,
      got: `shape [${shape.join(", ")}], ${bytes} bytes`,
      remedy: "use a smaller batch",
      bytes,
      limit,
    });
  }

  /**
   * Reading without waiting copies through canvases, which Node has not, and after which Chromium's next reading
   * fails: it is refused. Reading from a lost device says so.
   */
  #guardReading(): void {
    const { backend } = this;
    const readSync = backend.readSync.bind(backend);
    backend.readSync = (dataId) => {
      const { dtype, resource, values } = backend.tensorMap.get(dataId);
      if (values || !resource || dtype === "complex64") return readSync(dataId);
      throw new HeedError("UNSUPPORTED", {
        op: "dataSync",
        rule: "what the webgpu backend has computed must be waited for",
        got: "a call that does not wait",
        remedy: "use await tensor.data(), or compute this on another backend",
      });
    };
    const read = backend.read.bind(backend);
    backend.read = async (dataId) => {
      this.check();
      try {
        return await read(dataId);
      } catch (cause) {
        await Promise.race([this.device.lost, null]);
        this.check();
        throw cause;
      }
    };
  }
}

function lostDevice(op: string, reason: string): DeviceError<"LOST"> {
  return new DeviceError("LOST", {
    op,
    rule: "the WebGPU device must be there",
    got: `a lost one (${reason.split("\n")[0]})`,
    remedy: "call useWebGpu() again; tensors that were on the device are gone",
  });
}

const gpus = new WeakMap<object, Gpu>();

/** The shaders of a backend, bound on first use. */
export function gpuOf(backend: unknown): Gpu {
  let gpu = gpus.get(backend as object);
  if (!gpu) {
    gpu = new Gpu(backend as WebGpuBackend);
    gpus.set(backend as object, gpu);
  }
  return gpu;
}
