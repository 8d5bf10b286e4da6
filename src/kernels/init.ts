import { OptionError } from "../core/errors.ts";
import { AttentionEngine } from "./wasm/attention/engine.ts";
import { warm } from "./wasm/attention/warm.ts";
import { hasRelaxedSimd, type KernelBuild } from "./wasm/load.ts";
import { allowRelaxedSimd } from "./wasm/relaxed.ts";

export interface InitOptions {
  /** Threads that share large calls, this one included; an integer ≥ 1. @default 1 */
  threads?: number;
  /** "plain" runs without fused multiply-add, at about half the speed. @default what the engine has */
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
}

let running: Running | undefined;

/**
 * Compiles the kernels, with fused multiply-add where the engine has relaxed SIMD, and runs each on a small problem so
 * that the first call finds them optimised. Later calls return at once, unless they ask for something else.
 *
 * @example
 * await init(); // { build: "relaxed", threads: 1 }
 */
export async function init(): Promise<KernelInfo> {
  if (!running) {
    allowRelaxedSimd();
    const build: KernelBuild = hasRelaxedSimd() ? "relaxed" : "plain";
    const engine = new AttentionEngine(build);
    warm(engine);
    running = { info: { build, threads: 1 }, engine };
  }
  return running.info;
}

/** @throws OptionError NOT_READY before `init` */
export function readyEngine(op: string): AttentionEngine {
  if (!running) throw new OptionError("NOT_READY", { op });
  return running.engine;
}
