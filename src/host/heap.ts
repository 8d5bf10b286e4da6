import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { type DataType, type TensorInfo, util } from "@tensorflow/tfjs-core";
import { MemoryError } from "../core/errors.ts";
import { highWater } from "../kernels/wasm/high-water.ts";
import {
  hasRelaxedSimd,
  instantiateKernels,
  type KernelBuild,
  type KernelExports,
} from "../kernels/wasm/load.ts";
import { MadeTensors } from "./made.ts";

/** What we need of the emscripten module that TensorFlow.js keeps to itself. */
interface EmscriptenModule {
  asm?: { memory?: WebAssembly.Memory };
  wasmMemory?: WebAssembly.Memory;
  HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(address: number): void;
}

const ALIGNMENT = 16;

/**
 * One live backend: TensorFlow.js' WebAssembly heap with our kernels instantiated on it, so tensors are read and
 * written in place. Addresses are byte offsets and stay valid; views do not survive an allocation.
 */
export class Heap {
  readonly backend: BackendWasm;
  readonly kernels: KernelExports;
  readonly build: KernelBuild;
  /** The same object for ever; its buffer is a new one after each growth. */
  readonly memory: WebAssembly.Memory;
  readonly #module: EmscriptenModule;
  #op = "tensor";
  readonly #made = new MadeTensors((tensor) => this.dispose(tensor));
  #scratch = 0;
  #scratchBytes = 0;

  constructor(backend: BackendWasm, build: KernelBuild) {
    this.backend = backend;
    this.build = build;
    this.#module = (backend as unknown as { wasm: EmscriptenModule }).wasm;
    // The threaded build keeps its memory, a shared one, outside of `asm`.
    this.memory = (this.#module.asm?.memory ?? this.#module.wasmMemory)!;
    this.kernels = instantiateKernels(this.memory, build);
    this.#guardAllocation();
    this.#ownOutputs();
    this.#readComplex();
  }

  /** The byte address of a tensor's first element; moves the tensor here if it lives on another backend. */
  address(tensor: TensorInfo): number {
    return this.backend.dataIdMap.get(tensor.dataId).memoryOffset >>> 0;
  }

  /** An uninitialised tensor on the heap; a MemoryError that names `op` when the heap is full. */
  output(op: string, shape: number[], dtype: DataType = "float32"): TensorInfo {
    return this.during(op, () => this.backend.makeOutput(shape, dtype));
  }

  /** Has the running kernel free this tensor when it throws. */
  own(tensor: TensorInfo): TensorInfo {
    return this.#made.add(tensor);
  }

  /** The same elements again: no kernel writes into a tensor that exists. Moves x here if it lives elsewhere. */
  share({ dataId, shape, dtype }: TensorInfo): TensorInfo {
    const out = { dataId, shape, dtype };
    this.address(out);
    this.backend.incRef(dataId);
    return this.own(out);
  }

  /** Frees a tensor that a kernel made for itself. */
  dispose(tensor: TensorInfo): void {
    this.#made.delete(tensor);
    this.backend.disposeData(tensor.dataId);
  }

  /** A view of a tensor's elements, valid until the next allocation. */
  view(tensor: TensorInfo): Float32Array | Int32Array | Uint8Array {
    return this.backend.typedArrayFromHeap(tensor) as Float32Array | Int32Array | Uint8Array;
  }

  /** The address of at least `bytes` bytes, 16-byte aligned, valid until the next call of `scratch`. */
  scratch(op: string, bytes: number): number {
    highWater.bytes = Math.max(highWater.bytes, bytes);
    if (bytes > this.#scratchBytes) {
      if (this.#scratch) this.#module._free(this.#scratch);
      this.#scratch = 0;
      this.#scratchBytes = 0;
      this.#scratch = this.during(op, () => this.#module._malloc(bytes + ALIGNMENT) >>> 0);
      this.#scratchBytes = bytes;
    }
    return Math.ceil(this.#scratch / ALIGNMENT) * ALIGNMENT;
  }

  /** Runs `f`; a MemoryError thrown meanwhile says that `op` ran out. The innermost name wins. */
  during<T>(op: string, f: () => T): T {
    const outer = this.#op;
    this.#op = op;
    try {
      return f();
    } finally {
      this.#op = outer;
    }
  }

  /** Runs the kernel `op`. When it throws, on a full heap for one, the outputs it had made by then are freed. */
  kernel<T>(op: string, f: () => T): T {
    return this.#made.during(() => this.during(op, f));
  }

  /**
   * Makes the allocation of every tensor and of scratch throw when the heap is full; the stock backend would go on
   * with a tensor at address 0, over its own statics. What stock kernels allocate inside WebAssembly is not seen
   * here. Emscripten's `_malloc` replaces itself on its first call, hence the warm-up.
   */
  #guardAllocation(): void {
    const module = this.#module;
    module._free(module._malloc(ALIGNMENT));
    const malloc = module._malloc;
    module._malloc = (bytes) => {
      const address = malloc(bytes);
      if (address === 0 && bytes > 0) {
        const heapBytes = module.HEAPU8.byteLength;
        throw new MemoryError("MEMORY", {
          op: this.#op,
          rule: `the WebAssembly heap must have room for ${bytes} more bytes (it ends at 4 GiB)`,
          got: `a heap of ${heapBytes} bytes that cannot grow`,
          remedy: "dispose tensors, or use a smaller batch",
          bytes,
          heapBytes,
        });
      }
      return address;
    };
  }

  /** Complex tensors lie on the heap as pairs of floats; the stock backend, which has none, cannot read them. */
  #readComplex(): void {
    const { backend } = this;
    const readSync = backend.readSync.bind(backend);
    backend.readSync = (dataId, start, end) => {
      const { dtype, shape } = backend.dataIdMap.get(dataId);
      if (dtype !== "complex64") return readSync(dataId, start, end);
      return this.#pairs({ dataId, dtype, shape }).slice(2 * (start ?? 0), end && 2 * end);
    };
    const typedArrayFromHeap = backend.typedArrayFromHeap.bind(backend);
    backend.typedArrayFromHeap = (tensor) =>
      tensor.dtype === "complex64" ? this.#pairs(tensor) : typedArrayFromHeap(tensor);
  }

  #pairs(tensor: TensorInfo): Float32Array {
    const size = 2 * util.sizeFromShape(tensor.shape);
    return new Float32Array(this.#module.HEAPU8.buffer, this.address(tensor), size);
  }

  /** Stock kernels make their outputs past `output`, but all through one method. */
  #ownOutputs(): void {
    const { backend } = this;
    const makeOutput = backend.makeOutput.bind(backend);
    backend.makeOutput = (...args) => this.own(makeOutput(...args));
  }
}

const heaps = new WeakMap<object, Heap>();
let chosenBuild: KernelBuild | undefined;

/** Chooses the kernel build for backends started from now on; without it, relaxed where the engine has it. */
export function chooseKernelBuild(build: KernelBuild | undefined): void {
  chosenBuild = build;
}

/** The heap of a backend, bound on first use (TensorFlow.js calls set-up functions too early or too often). */
export function heapOf(backend: unknown): Heap {
  let heap = heaps.get(backend as object);
  if (!heap) {
    heap = new Heap(backend as BackendWasm, chosenBuild ?? (hasRelaxedSimd() ? "relaxed" : "plain"));
    heaps.set(backend as object, heap);
  }
  return heap;
}
