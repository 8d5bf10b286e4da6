// @ts-check
// A worker thread of a pool, in Node and in browsers: it gets the module and the memory once, says that it is ready,
// and serves until it is told to stop.
import { controlOf, kernelsByPlace, serve } from "./work.js";

/**
 * @typedef {object} Start
 * @property {WebAssembly.Module} module
 * @property {WebAssembly.Memory} memory
 * @property {number} thread
 */

/** @param {Start} start @param {(message: string) => void} reply */
function begin({ module, memory, thread }, reply) {
  const { kernels, table } = kernelsByPlace(module, memory);
  reply("ready");
  serve(controlOf(memory), kernels, thread, { memory, table, ids: [] });
}

const threads = globalThis.process?.getBuiltinModule?.("node:worker_threads");
if (threads) {
  const { parentPort, workerData } = threads;
  begin(workerData, (message) => parentPort?.postMessage(message));
} else {
  globalThis.onmessage = ({ data }) => {
    begin(data, (message) => globalThis.postMessage(message));
    globalThis.close();
  };
}
