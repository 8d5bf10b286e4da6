import plain from "./generated/plain.ts";
import plainShared from "./generated/plainShared.ts";
import relaxed from "./generated/relaxed.ts";
import relaxedShared from "./generated/relaxedShared.ts";

/** Relaxed SIMD has fused multiply-add; plain SIMD runs wherever WebAssembly SIMD does, at about half the speed. */
export type KernelBuild = "relaxed" | "plain";

/** The exports of assembly/index.ts: addresses and sizes in, nothing out but a few sizes. */
export type KernelExports = Record<string, (...args: number[]) => number>;

function bytes(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const out = new Uint8Array(text.length);
  for (let i = 0; i < out.length; i++) out[i] = text.charCodeAt(i);
  return out;
}

const modules = new Map<string, WebAssembly.Module>();

function compile(name: string, base64: string): WebAssembly.Module {
  let module = modules.get(name);
  if (!module) {
    module = new WebAssembly.Module(bytes(base64));
    modules.set(name, module);
  }
  return module;
}

/** A tiny module with one relaxed instruction (`i8x16.relaxed_swizzle`): it validates where relaxed SIMD is on. */
const RELAXED_PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2,
  253, 15, 253, 128, 2, 11,
]);

/** True where this engine runs relaxed SIMD. Node 20 has it behind a flag, which `heed/backend` sets. */
export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(RELAXED_PROBE);
}

/** A build's module. One for each kind of memory: what is shared and what is not have different types. */
export function kernelModule(build: KernelBuild, shared: boolean): WebAssembly.Module {
  const [name, text] = shared
    ? build === "relaxed"
      ? ["relaxedShared", relaxedShared]
      : ["plainShared", plainShared]
    : build === "relaxed"
      ? ["relaxed", relaxed]
      : ["plain", plain];
  return compile(name, text);
}

/** A module's kernels on somebody's memory. */
export function exportsOf(module: WebAssembly.Module, memory: WebAssembly.Memory): KernelExports {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as KernelExports;
}

/** Instantiates our kernels on somebody's memory: nothing is copied, the kernels read and write it in place. */
export function instantiateKernels(memory: WebAssembly.Memory, build: KernelBuild): KernelExports {
  const shared = typeof SharedArrayBuffer !== "undefined" && memory.buffer instanceof SharedArrayBuffer;
  return exportsOf(kernelModule(build, shared), memory);
}
