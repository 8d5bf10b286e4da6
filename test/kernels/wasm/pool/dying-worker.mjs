// A worker that takes a call and dies with it.
import { parentPort, workerData } from "node:worker_threads";
import { controlOf, WORD } from "../../../../src/kernels/wasm/pool/work.js";

const control = controlOf(workerData.memory);
parentPort.postMessage("ready");
for (;;) {
  const left = Atomics.load(control, WORD.REMAINING);
  if (left > 0 && Atomics.compareExchange(control, WORD.REMAINING, left, left - 1) === left) break;
}
process.exit(3);
