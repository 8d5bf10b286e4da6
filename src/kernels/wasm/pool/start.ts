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

/** The error of a worker that does not start. */
export function workerFailed(message: string, cause?: unknown): WorkerError<"WORKER"> {
  const fault = {
    op: "init",
    rule: "every worker thread must start",
    got: `"${message}"`,
    remedy: "use threads: 1 where there can be no workers",
  };
  return new WorkerError("WORKER", fault, cause === undefined ? undefined : { cause });
}

/**
 * Starts a worker thread and waits until it is ready, `readyMs` at most. It does not keep the program running.
 *
 * @throws WorkerError WORKER
 */
export async function startWorker(start: WorkerStart, readyMs: number, url?: URL): Promise<WorkerHandle> {
  const { handle, ready } = globalThis.process?.versions?.node
    ? startInNode(start, url)
    : startInBrowser(start);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(workerFailed(`not ready after ${readyMs / 1000} s`)), readyMs);
  });
  try {
    await Promise.race([ready, late]);
    return handle;
  } catch (error) {
    await handle.terminate();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

interface Starting {
  readonly handle: WorkerHandle;
  readonly ready: Promise<void>;
}

function startInNode(start: WorkerStart, url = new URL("./worker.js", import.meta.url)): Starting {
  // Through getBuiltinModule, so that bundlers see no import of a Node module.
  const { Worker } = process.getBuiltinModule("node:worker_threads");
  const worker = new Worker(url, { workerData: start, execArgv: [] });
  let ended = false;
  const handle = { exited: () => ended, terminate: () => worker.terminate() };
  const ready = new Promise<void>((resolve, reject) => {
    worker.once("message", () => {
      worker.unref();
      resolve();
    });
    worker.on("error", (error) => reject(workerFailed(error.message)));
    worker.on("exit", (code) => {
      ended = true;
      reject(workerFailed(`exit code ${code}`));
    });
  });
  return { handle, ready };
}

function startInBrowser(start: WorkerStart): Starting {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  const handle = { exited: () => false, terminate: async () => worker.terminate() };
  const ready = new Promise<void>((resolve, reject) => {
    worker.onmessage = () => resolve();
    worker.onerror = ({ message }) => reject(workerFailed(message));
    worker.postMessage(start);
  });
  return { handle, ready };
}
