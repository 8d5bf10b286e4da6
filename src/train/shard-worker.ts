// A worker thread of ShardPool: reads the parameters from shared memory, writes its gradients back.
import { parentPort, workerData } from "node:worker_threads";
import * as tf from "@tensorflow/tfjs-core";
import { layoutOf, type ShardModule, type WorkerReply, type WorkerStart } from "./shards.ts";

const start = workerData as WorkerStart<unknown>;
const { createShard } = (await import(start.module)) as ShardModule<unknown, unknown>;
const model = await createShard(start.init);
const { names, offsets, sizes } = layoutOf(model.variables);
const parameters = new Float32Array(start.parameters);
const gradients = new Float32Array(start.gradients);
const reply = (message: WorkerReply) => parentPort!.postMessage(message);

function read(): void {
  names.forEach((name, i) => {
    const variable = model.variables[name];
    const value = tf.tensor(parameters.slice(offsets[i], offsets[i] + sizes[i]), variable.shape, "float32");
    variable.assign(value);
    value.dispose();
  });
}

parentPort!.on("message", (batch: unknown) => {
  try {
    read();
    const { loss, grads } = model.gradients(batch);
    names.forEach((name, i) => {
      gradients.set(grads[name].dataSync() as Float32Array, offsets[i]);
    });
    tf.dispose(grads);
    reply({ loss });
  } catch (error) {
    reply({ error: error instanceof Error ? error.message : String(error) });
  }
});
reply({ ready: true });
