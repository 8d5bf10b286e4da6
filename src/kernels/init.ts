import { OptionError } from "../core/errors.ts";
import { notAChoice } from "../core/faults.ts";
import { checkObject, described } from "./arguments.ts";
import { AttentionEngine } from "./wasm/attention/engine.ts";
import { warm } from "./wasm/attention/warm.ts";
import { hasRelaxedSimd, type KernelBuild } from "./wasm/load.ts";
import { PoolSpace } from "./wasm/pool/pool.ts";
import { allowRelaxedSimd } from "./wasm/relaxed.ts";

export interface InitOptions {
  /**
   * Threads that share large calls, this one included; an integer from 1 to 64. More than one need shared memory: Node has it, a page
   * only where it is cross-origin isolated; elsewhere one thread runs. @default what runs already, or 1
   */
  threads?: number;
  /** "plain" runs without fused multiply-add, at about half the speed. @default "relaxed" where the engine has it */
  build?: KernelBuild;
}

/** What `init` started. */
export interface KernelInfo {
  readonly build: KernelBuild;
  readonly threads: number;
}

interface Running {
  readonly info: KernelInfo;
  readonly engine: AttentionEngine;
  readonly pool: PoolSpace | undefined;
  /**
   * With threads: an engine of this one alone, for calls that are too small to be handed out. JavaScript copies to and
   * from memory that is shared at half the speed or less.
   */
  readonly small: AttentionEngine | undefined;
}

/** Each thread holds memory of its own, 9 MB; more than a machine has cores make nothing faster. */
const MOST_THREADS = 64;

let running: Running | undefined;
/** What the last call ran on. */
let last: AttentionEngine | undefined;
let starting: Promise<unknown> = Promise.resolve();

/**
 * Compiles the kernels, with fused multiply-add where the engine has relaxed SIMD, and runs each on a small problem so
 * that the first call finds them optimised. Starts the worker threads, which sleep between calls and do not keep a
 * program running; large matrix products and attention of the `heed` backend use them too. Later calls return at
 * once, unless they ask for something else.
 *
 * @throws OptionError OPTION · WorkerError WORKER
 * @example
 * await init({ threads: 2 }); // { build: "relaxed", threads: 2 }
 */
export async function init(options: InitOptions = {}): Promise<KernelInfo> {
  const op = "init";
  checkObject(op, "options", options, "pass {}, or leave them out");
  const { threads, build } = options;
  const isCount = Number.isSafeInteger(threads) && threads! >= 1;
  if (threads !== undefined && !(isCount && threads <= MOST_THREADS)) {
    throw new OptionError("OPTION", {
      op,
      rule: `threads must be ${isCount ? `at most ${MOST_THREADS}` : "an integer ≥ 1"}`,
      got: described(threads),
      remedy: "pass as many as the machine has cores, or leave it out",
    });
  }
  if (build !== undefined && build !== "relaxed" && build !== "plain") {
    const choices = ['"relaxed"', '"plain"'];
    throw new OptionError("OPTION", notAChoice({ op, name: "build", choices, got: described(build) }));
  }
  // One after another: two at once would start two sets of workers.
  const info = starting.then(() => start(options));
  starting = info.catch(() => undefined);
  return info;
}

async function start(options: InitOptions): Promise<KernelInfo> {
  allowRelaxedSimd();
  const now = running?.pool?.lost ? undefined : running;
  const fastest: KernelBuild = hasRelaxedSimd() ? "relaxed" : "plain";
  const build = options.build ?? now?.info.build ?? fastest;
  const wanted = options.threads ?? now?.info.threads ?? 1;
  const threads = canShareMemory() ? wanted : 1;
  if (now && now.info.build === build && now.info.threads === threads) return now.info;
  const pool = threads > 1 ? await PoolSpace.start(build, threads) : undefined;
  const engine = pool ? new AttentionEngine(pool, PoolSpace.FREE) : new AttentionEngine(build);
  const small = pool && new AttentionEngine(build);
  try {
    warm(engine);
    if (small) warm(small);
  } catch (error) {
    await pool?.close();
    throw error;
  }
  const before = running?.pool;
  running = { info: { build, threads }, engine, pool, small };
  await before?.close();
  return running.info;
}

function canShareMemory(): boolean {
  return typeof SharedArrayBuffer !== "undefined" && (globalThis.crossOriginIsolated ?? true);
}

/** Stops the worker threads and gives the kernels' memory back; `init` starts anew. */
export async function shutdown(): Promise<void> {
  await starting;
  const before = running?.pool;
  running = undefined;
  last = undefined;
  await before?.close();
}

/** Bytes that the kernels hold for calls, 0 before `init`. They grow to what the largest call needs and are kept. */
export function kernelMemoryBytes(): number {
  const { engine, small } = running ?? {};
  return (engine?.memory.buffer.byteLength ?? 0) + (small?.memory.buffer.byteLength ?? 0);
}

/** Bytes of that memory that the last pass of a call took: what was copied of its arrays, and what it computed with. */
export function lastCallBytes(): number {
  return last?.lastBytes ?? 0;
}

/** The threads that `init` started, if there are some and they run this build. */
export function runningPool(build: KernelBuild): PoolSpace | undefined {
  return running?.info.build === build && !running.pool?.lost ? running.pool : undefined;
}

/** The engine on these threads. */
export function threadedEngine(build: KernelBuild): AttentionEngine | undefined {
  return runningPool(build) && running?.engine;
}

/**
 * The engine that `init` started, for a call of about so many flops; after the loss of a worker one that runs on this thread alone.
 *
 * @throws OptionError NOT_READY before `init`
 */
export function readyEngine(op: string, flops = Infinity): AttentionEngine {
  const started = ready(op);
  if (started.pool?.lost) {
    const { build } = started.info;
    const engine = started.small ?? new AttentionEngine(build);
    running = { info: { build, threads: 1 }, engine, pool: undefined, small: undefined };
    return engine;
  }
  const { engine, small } = started;
  last = small && flops < engine.space.leastFlops ? small : engine;
  return last;
}

/**
 * The build that `init` chose.
 *
 * @throws OptionError NOT_READY before `init`
 */
export function readyBuild(op: string): KernelBuild {
  return ready(op).info.build;
}

function ready(op: string): Running {
  if (running) return running;
  throw new OptionError("NOT_READY", {
    op,
    rule: "float32 kernels must be compiled before they run",
    got: "a call before that",
    remedy: "await init() once",
  });
}
