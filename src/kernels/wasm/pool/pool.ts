/**
 * This thread and workers on one shared memory. A job is a kernel and a list of calls, taken one by one, so a thread
 * that is slow or was never woken takes less; this thread takes calls too, then waits for those that others have.
 *
 * Measured on two cores: an empty job costs 0.3 µs while workers spin and 30 to 45 µs when one must be woken, so work
 * below `LEAST_FLOPS` stays on this thread. Workers start in 35 to 80 ms.
 */
import { WorkerError } from "../../../core/errors.ts";
import type { PlacedFunctions } from "../functions.ts";
import { exportsOf, type KernelBuild, type KernelExports, kernelModule } from "../load.ts";
import type { KernelCall, KernelSpace, Scratch } from "../space.ts";
import { startWorker, type WorkerHandle, workerFailed } from "./start.ts";
import { CONTROL_START, controlOf, SPINS, TABLE_WORDS, WORD, work } from "./work.js";

/** About 140 µs on one thread: two save more than waking the other takes. */
const LEAST_FLOPS = 2 ** 23;
/** A call that takes this much longer than at 1 GF/s belongs to a worker that is no more. */
const STALL_MS = 10_000;
/** Workers start in 35 to 80 ms, on a machine with nothing else to do. */
const READY_MS = 30_000;
const PAGE = 65536;

export interface PoolOptions {
  /** @default STALL_MS */
  stallMs?: number;
  /** Smaller work stays on this thread. @default LEAST_FLOPS */
  leastFlops?: number;
  /** A worker that takes longer than this to be ready is given up. @default READY_MS */
  readyMs?: number;
  /** A worker's program. @default worker.js beside this file */
  worker?: URL;
}

export class PoolSpace implements KernelSpace {
  readonly memory: WebAssembly.Memory;
  readonly kernels: KernelExports;
  readonly threads: number;
  readonly leastFlops: number;
  readonly #control: Int32Array;
  readonly #places: ReadonlyMap<string, number>;
  readonly #byPlace: ((...args: number[]) => number)[];
  readonly #workers: WorkerHandle[] = [];
  readonly #stallMs: number;
  #lost = false;

  private constructor(
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    threads: number,
    options: PoolOptions,
  ) {
    this.memory = memory;
    this.threads = threads;
    this.#stallMs = options.stallMs ?? STALL_MS;
    this.leastFlops = options.leastFlops ?? LEAST_FLOPS;
    this.kernels = exportsOf(module, memory);
    const names = WebAssembly.Module.exports(module).map(({ name }) => name);
    this.#places = new Map(names.map((name, place) => [name, place]));
    this.#byPlace = names.map((name) => this.kernels[name]!);
    this.#control = controlOf(memory);
  }

  /** Where memory is free: beyond the control block and the table. */
  static readonly FREE = CONTROL_START + 4 * (WORD.TABLE + TABLE_WORDS);

  /**
   * Starts `threads − 1` workers and waits until they are ready.
   *
   * @throws WorkerError WORKER, also where no shared memory can be had
   */
  static async start(build: KernelBuild, threads: number, options: PoolOptions = {}): Promise<PoolSpace> {
    const initial = Math.ceil(PoolSpace.FREE / PAGE);
    const memory = sharedMemory(initial);
    const module = kernelModule(build, true);
    const pool = new PoolSpace(module, memory, threads, options);
    const starts = Array.from({ length: threads - 1 }, (_, n) =>
      startWorker({ module, memory, thread: n + 1 }, options.readyMs ?? READY_MS, options.worker),
    );
    // All of them, so that none is left behind when another fails.
    const started = await Promise.allSettled(starts);
    for (const start of started) if (start.status === "fulfilled") pool.#workers.push(start.value);
    const failed = started.find((start) => start.status === "rejected");
    if (!failed) return pool;
    await pool.close();
    throw failed.reason;
  }

  /** True once a worker has kept a call to itself: its memory may still change, so it must not be used again. */
  get lost(): boolean {
    return this.#lost;
  }

  run(
    kernel: string,
    calls: readonly KernelCall[],
    flops: number,
    scratch?: Scratch,
    functions?: PlacedFunctions,
  ): void {
    const alone =
      calls.length < 2 || flops < this.leastFlops || this.#workers.every(({ exited }) => exited());
    if (alone) {
      const call = this.kernels[kernel]!;
      for (const args of calls) scratch ? call(...args, scratch.address) : call(...args);
      return;
    }
    const width = calls[0]!.length;
    const most = Math.floor(TABLE_WORDS / width);
    for (let first = 0; first < calls.length; first += most) {
      this.#job(kernel, calls.slice(first, first + most), flops / calls.length, { scratch, functions });
    }
  }

  #job(
    kernel: string,
    calls: readonly KernelCall[],
    flopsPerCall: number,
    { scratch, functions }: { scratch: Scratch | undefined; functions: PlacedFunctions | undefined },
  ): void {
    const control = this.#control;
    const width = calls[0]!.length;
    for (const [n, args] of calls.entries()) control.set(args, WORD.TABLE + n * width);
    control[WORD.KERNEL] = this.#places.get(kernel)!;
    control[WORD.CALLS] = calls.length;
    control[WORD.WIDTH] = width;
    control[WORD.SCRATCH] = scratch?.address ?? 0;
    control[WORD.SCRATCH_BYTES] = scratch?.bytes ?? 0;
    control[WORD.FUNCTIONS] = functions?.id ?? 0;
    control[WORD.FUNCTION_SET] = functions?.set ?? 0;
    control[WORD.FUNCTION_ADDRESS] = functions?.address ?? 0;
    control[WORD.FUNCTION_BYTES] = functions?.bytes ?? 0;
    Atomics.store(control, WORD.FAILED, 0);
    Atomics.store(control, WORD.COMPLETED, 0);
    Atomics.store(control, WORD.REMAINING, calls.length);
    Atomics.add(control, WORD.WAKE, 1);
    Atomics.notify(control, WORD.WAKE);
    work(control, this.#byPlace, 0);
    this.#wait(kernel, calls.length, flopsPerCall / 1e6 + this.#stallMs);
    const failed = Atomics.load(control, WORD.FAILED);
    if (failed > 0) {
      throw new WorkerError("FAULT", {
        op: kernel,
        failed,
        calls: calls.length,
        rule: "every call must end",
        got: `a trap in ${failed} of ${calls.length}`,
        remedy: "this is a fault of heed, please report it",
      });
    }
  }

  /** Waits for the calls that others have taken. */
  #wait(op: string, calls: number, limitMs: number): void {
    const control = this.#control;
    let deadline = Number.NaN;
    for (let spins = 0; ; spins++) {
      const completed = Atomics.load(control, WORD.COMPLETED);
      if (completed === calls) return;
      if (spins % SPINS !== SPINS - 1) continue;
      const now = performance.now();
      if (Number.isNaN(deadline)) deadline = now + limitMs;
      else if (now > deadline) {
        this.#lost = true;
        void this.close();
        const seconds = Math.round(limitMs / 1000);
        throw new WorkerError("WORKER", {
          op,
          seconds,
          rule: "every worker thread must finish its part",
          got: `nothing from one for ${seconds} s, so its result is lost`,
          remedy: "call again, which runs on one thread, or await init({ threads }) for new workers",
        });
      }
      // Browsers do not let their main thread sleep.
      if (canWait) Atomics.wait(control, WORD.COMPLETED, completed, Math.max(1, deadline - now));
    }
  }

  /** Stops the workers. */
  async close(): Promise<void> {
    Atomics.store(this.#control, WORD.STOP, 1);
    Atomics.add(this.#control, WORD.WAKE, 1);
    Atomics.notify(this.#control, WORD.WAKE);
    await Promise.all(this.#workers.splice(0).map(({ terminate }) => terminate()));
  }
}

/** @throws WorkerError WORKER where 4 GiB of addresses cannot be reserved */
function sharedMemory(initial: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial, maximum: PAGE, shared: true });
  } catch (cause) {
    throw workerFailed(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

const canWait = (() => {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
})();
