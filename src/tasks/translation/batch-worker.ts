// A worker thread of `translateBatches`: a model of its own, and the batches that no other thread has taken yet.
import { parentPort, workerData } from "node:worker_threads";
import { type BatchMessage, type BatchReply, take, type WorkerStart } from "./batches.ts";
import { loadTranslator } from "./load.ts";

const { folder, to, who } = workerData as WorkerStart;
const translator = await loadTranslator(folder, to);

parentPort!.on("message", ({ number, taken, lines, options }: BatchMessage) => {
  if (!take(taken, who)) return;
  const reply = (rest: Partial<BatchReply>) => parentPort!.postMessage({ number, ...rest });
  try {
    reply({ translations: translator.translate(lines, options) });
  } catch {
    // The thread that reads the lines does it again, and says what is wrong.
    reply({});
  }
});
