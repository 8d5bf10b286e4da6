import type { PlacedFunctions } from "./functions.ts";
import { instantiateKernels, type KernelBuild, type KernelExports } from "./load.ts";

/**
 * A memory with our kernels on it, and whoever runs them: this thread alone (`SerialSpace`), or this thread and its
 * workers (pool/). Passes over attention are written for a space and do not know which.
 */
export interface KernelSpace {
  readonly memory: WebAssembly.Memory;
  readonly kernels: KernelExports;
  /** How many pieces of scratch `run` needs. */
  readonly threads: number;
  /** Work of fewer flops than this stays on one thread. */
  readonly leastFlops: number;
  /**
   * Calls the kernel once for each row of arguments, in any order and at once where there are threads, and returns
   * when all are done. Each call gets `scratch + thread · scratchBytes` as its last argument, if `scratch` is given.
   * `flops` says about how much work all calls are: small work is not handed out. `functions` are those of scores that
   * the calls use, which stand in the table of this thread.
   *
   * @throws WorkerError WORKER, after which the space must be closed · FAULT, after which it need not
   */
  run(
    kernel: string,
    calls: readonly KernelCall[],
    flops: number,
    scratch?: Scratch,
    functions?: PlacedFunctions,
  ): void;
}

export type KernelCall = readonly number[];

export interface Scratch {
  readonly address: number;
  /** Bytes of each thread. */
  readonly bytes: number;
}

/** One thread, on a memory of its own or on somebody's. */
export class SerialSpace implements KernelSpace {
  readonly memory: WebAssembly.Memory;
  readonly kernels: KernelExports;
  readonly threads = 1;
  readonly leastFlops = Infinity;

  constructor(memory: WebAssembly.Memory, kernels: KernelExports) {
    this.memory = memory;
    this.kernels = kernels;
  }

  static create(build: KernelBuild): SerialSpace {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
    return new SerialSpace(memory, instantiateKernels(memory, build));
  }

  run(kernel: string, calls: readonly KernelCall[], _flops: number, scratch?: Scratch): void {
    const call = this.kernels[kernel]!;
    for (const args of calls) {
      if (scratch) call(...args, scratch.address);
      else call(...args);
    }
  }
}
