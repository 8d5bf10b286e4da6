/**
 * The `heed` backend: TensorFlow.js' WebAssembly backend under a name of its own, with our kernels where the stock
 * ones are missing, slow or wrong. The stock backends stay as they are.
 *
 * @example
 * import "heed/backend";
 * import { setBackend } from "@tensorflow/tfjs-core";
 * await setBackend("heed");
 *
 * @module
 */
import "@tensorflow/tfjs-backend-wasm";
import { findBackendFactory, type KernelBackend, registerBackend } from "@tensorflow/tfjs-core";
import { heapOf } from "./heap.ts";
import { hostKernels } from "./kernels/index.ts";
import { installTileGradient } from "./kernels/tile.ts";
import { withoutListeners } from "./process-listeners.ts";
import { BACKEND, copyStockKernels, onSetBackend, registerHeedKernel } from "./register.ts";
import { registerTrainingKernels } from "./training/index.ts";

export { BACKEND } from "./register.ts";

/** Above the stock backends: importing this module without a `setBackend` selects it. */
const PRIORITY = 5;

/** Node 20 has relaxed SIMD behind a flag, which only counts for modules compiled after it is set. */
function allowRelaxedSimd(): void {
  const major = Number(globalThis.process?.versions?.node?.split(".")[0] ?? Number.NaN);
  // Through getBuiltinModule, so that bundlers see no import of a Node module.
  if (major < 22) process.getBuiltinModule("node:v8").setFlagsFromString("--experimental-wasm-relaxed-simd");
}

async function startBackend(): Promise<KernelBackend> {
  const backend = await withoutListeners(async () => findBackendFactory("wasm")() as Promise<KernelBackend>);
  heapOf(backend);
  return backend;
}

function registerHeedBackend(): void {
  allowRelaxedSimd();
  copyStockKernels();
  for (const [name, kernel] of Object.entries(hostKernels)) registerHeedKernel(name, kernel);
  registerTrainingKernels();
  // TensorFlow.js' gradients may be registered after this module; set-up functions run at every setBackend.
  onSetBackend("Tile", installTileGradient);
  registerBackend(BACKEND, startBackend, PRIORITY);
}

if (!findBackendFactory(BACKEND)) registerHeedBackend();
