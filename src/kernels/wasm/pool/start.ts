import { WorkerError } from "../../../core/errors.ts";

/** What a worker needs to begin (worker.js). */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly thread: number;
}

export interface WorkerHandle {
  /** Whether it has ended, as far as is known: the news comes between calls, never during one. */
  exited(): boolean;
  terminate(): Promise<unknown>;
}

/**
 * Starts a worker thread and waits until it is ready. It does not keep the program running.
 *
 * @throws WorkerError KERNEL_WORKER_FAILED
 */
export function startWorker(start: WorkerStart, url?: URL): Promise<WorkerHandle> {
  return globalThis.process?.versions?.node ? startInNode(start, url) : startInBrowser(start);
}

const failed = (message: string) => new WorkerError("KERNEL_WORKER_FAILED", { op: "init", message });

function startInNode(
  start: WorkerStart,
  url = new URL("./worker.js", import.meta.url),
): Promise<WorkerHandle> {
  // Through getBuiltinModule, so that bundlers see no import of a Node module.
  const { Worker } = process.getBuiltinModule("node:worker_threads");
  const worker = new Worker(url, { workerData: start, execArgv: [] });
  let ended = false;
  const handle = { exited: () => ended, terminate: () => worker.terminate() };
  return new Promise((resolve, reject) => {
    worker.once("message", () => {
      worker.unref();
      resolve(handle);
    });
    worker.on("error", (error) => reject(failed(error.message)));
    worker.on("exit", (code) => {
      ended = true;
      reject(failed(`exit code ${code}`));
    });
  });
}

function startInBrowser(start: WorkerStart): Promise<WorkerHandle> {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  const handle = { exited: () => false, terminate: async () => worker.terminate() };
  return new Promise((resolve, reject) => {
    worker.onmessage = () => resolve(handle);
    worker.onerror = ({ message }) => reject(failed(message));
    worker.postMessage(start);
  });
}
