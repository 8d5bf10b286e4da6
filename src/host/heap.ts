import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import type { DataType, TensorInfo } from "@tensorflow/tfjs-core";
import { MemoryError } from "../core/errors.ts";
import { hasRelaxedSimd, instantiateKernels, type KernelBuild, type KernelExports } from "../kernels/wasm/load.ts";

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
 * written in place. Addresses are byte offsets; take them after the last allocation, because growth moves views.
 */
export class Heap {
  readonly backend: BackendWasm;
  readonly kernels: KernelExports;
  readonly build: KernelBuild;
  readonly #module: EmscriptenModule;
  #scratch = 0;
  #scratchBytes = 0;

  constructor(backend: BackendWasm, build: KernelBuild) {
    this.backend = backend;
    this.build = build;
    this.#module = (backend as unknown as { wasm: EmscriptenModule }).wasm;
    const memory = this.#module.asm?.memory ?? this.#module.wasmMemory;
    this.kernels = instantiateKernels(memory!, build);
  }

  /** The byte address of a tensor's first element; moves the tensor here if it lives on another backend. */
  address(tensor: TensorInfo): number {
    const entry = (this.backend as unknown as { dataIdMap: { get(id: object): { memoryOffset: number } } }).dataIdMap;
    return entry.get(tensor.dataId).memoryOffset >>> 0;
  }

  /** An uninitialised tensor on the heap. The stock backend hands out address 0 when memory is full; we throw. */
  output(op: string, shape: number[], dtype: DataType = "float32"): TensorInfo {
    const info = this.backend.makeOutput(shape, dtype);
    const size = shape.reduce((product, n) => product * n, 1);
    if (size > 0 && dtype !== "string" && this.address(info) === 0) {
      this.backend.disposeData(info.dataId, true);
      throw this.#full(op, size * (dtype === "bool" ? 1 : 4));
    }
    return info;
  }

  /** A view of a tensor's elements, valid until the next allocation. */
  view(tensor: TensorInfo): Float32Array | Int32Array | Uint8Array {
    return this.backend.typedArrayFromHeap(tensor) as Float32Array | Int32Array | Uint8Array;
  }

  /** The address of at least `bytes` bytes, 16-byte aligned, valid until the next call of `scratch`. */
  scratch(op: string, bytes: number): number {
    if (bytes > this.#scratchBytes) {
      if (this.#scratch) this.#module._free(this.#scratch);
      this.#scratchBytes = 0;
      this.#scratch = this.#module._malloc(bytes + ALIGNMENT) >>> 0;
      if (this.#scratch === 0) throw this.#full(op, bytes);
      this.#scratchBytes = bytes;
    }
    return Math.ceil(this.#scratch / ALIGNMENT) * ALIGNMENT;
  }

  #full(op: string, bytes: number): MemoryError<"OUT_OF_MEMORY"> {
    return new MemoryError("OUT_OF_MEMORY", { op, bytes, heapBytes: this.#module.HEAPU8.byteLength });
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
