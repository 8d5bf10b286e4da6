import { env, findBackendFactory, type KernelBackend } from "@tensorflow/tfjs-core";
import { HeedError } from "../core/errors.ts";
import { heapOf } from "./heap.ts";
import { withoutListeners } from "./process-listeners.ts";
import { withWasmFile } from "./wasm-file.ts";

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
  const backend = await withoutListeners(() =>
    withoutStockThreads(() => withWasmFile(async () => stock())),
  ).catch(refuse);
  heapOf(backend);
  return backend;
}

/** TensorFlow.js prints this and answers `setBackend` with false. */
function refuse(error: unknown): never {
  const reason = (error as Partial<Error> | undefined)?.message ?? String(error);
  throw new HeedError(
    "UNSUPPORTED",
    {
      op: 'setBackend("heed")',
      rule: "WebAssembly with SIMD must be there, and TensorFlow.js' file tfjs-backend-wasm-simd.wasm",
      got: reason.split(/[.\n]/)[0]!,
      remedy:
        "serve the .wasm files of @tensorflow/tfjs-backend-wasm, and name their folder with its setWasmPaths",
    },
    { cause: error },
  );
}
