import { env, findBackendFactory, type KernelBackend } from "@tensorflow/tfjs-core";
import { heapOf } from "./heap.ts";
import { withoutListeners } from "./process-listeners.ts";

const THREADS = "WASM_HAS_MULTITHREAD_SUPPORT";

/**
 * Runs `start` with TensorFlow.js' own threads off, unless the program has decided on them. They start on
 * cross-origin-isolated pages alone, speed up none of our kernels, and never answer in a minified bundle, because
 * the workers are given the text of a minified function.
 */
async function withoutStockThreads<T>(start: () => Promise<T>): Promise<T> {
  const flags = env().getFlags();
  if (THREADS in flags) return start();
  env().set(THREADS, false);
  try {
    return await start();
  } finally {
    delete flags[THREADS];
  }
}

/**
 * A second instance of the stock WebAssembly backend, with a heap of its own that our kernels are bound to.
 * `tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", true)` before it starts gives the stock kernels threads, on
 * cross-origin-isolated pages.
 */
export async function startHeedBackend(): Promise<KernelBackend> {
  const stock = findBackendFactory("wasm") as () => Promise<KernelBackend>;
  const backend = await withoutListeners(() => withoutStockThreads(async () => stock()));
  heapOf(backend);
  return backend;
}
