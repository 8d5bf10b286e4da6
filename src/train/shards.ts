import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import * as tf from "@tensorflow/tfjs-core";
import { WorkerError } from "../core/errors.ts";

const OP = "train";

/** The part of a task that one shard needs: the trainable values, and a gradient for a piece of a batch. */
export interface ShardModel<Batch> {
  readonly variables: Record<string, tf.Variable>;
  /** Adds up: the sum over shards of the losses is the loss of the whole batch, and so for the gradients. */
  gradients(batch: Batch): { loss: number; grads: tf.NamedTensorMap };
}

/** What a module that workers import must export. */
export interface ShardModule<Init, Batch> {
  createShard(init: Init): Promise<ShardModel<Batch>>;
}

/** The same function as this thread has it, and as workers find it. */
export interface ShardSource<Init, Batch> extends ShardModule<Init, Batch> {
  url: URL;
}

/** Where each parameter lies in the shared buffers, in elements. */
export interface Layout {
  names: string[];
  offsets: number[];
  sizes: number[];
  total: number;
}

/** The order and place of the parameters in one flat buffer: by name, so that every thread agrees. */
export function layoutOf(variables: Record<string, tf.Variable>): Layout {
  const names = Object.keys(variables).sort();
  const sizes = names.map((name) => variables[name].size);
  const offsets: number[] = [];
  let total = 0;
  for (const size of sizes) {
    offsets.push(total);
    total += size;
  }
  return { names, offsets, sizes, total };
}

export interface WorkerStart<Init> {
  module: string;
  init: Init;
  parameters: SharedArrayBuffer;
  gradients: SharedArrayBuffer;
}

export type WorkerReply = { ready: true } | { loss: number } | { error: string };

interface Helper<Batch> {
  worker: Worker;
  /** Resolves when its model is made. */
  ready: Promise<unknown>;
  gradients: Float32Array;
  /** Resolves with the loss of the batch in flight. */
  run(batch: Batch): Promise<number>;
}

/**
 * Data-parallel gradients: a batch is cut into shards, this thread takes the first and worker threads the others,
 * and the gradients are added in the order of the shards. The sum does not depend on the number of threads, so a
 * run gives the same numbers on one core and on many.
 */
export class ShardPool<Batch> {
  readonly model: ShardModel<Batch>;
  readonly #layout: Layout;
  readonly #parameters: Float32Array;
  readonly #helpers: Helper<Batch>[];

  private constructor(
    model: ShardModel<Batch>,
    layout: Layout,
    parameters: Float32Array,
    helpers: Helper<Batch>[],
  ) {
    this.model = model;
    this.#layout = layout;
    this.#parameters = parameters;
    this.#helpers = helpers;
  }

  /**
   * @param source makes this thread's shard; its `url` is imported by each worker
   * @param threads shards computed at once, this thread included; the cores of the machine by default
   */
  static async start<Init, Batch>(
    source: ShardSource<Init, Batch>,
    init: Init,
    threads = availableParallelism(),
  ) {
    const model = await source.createShard(init);
    const layout = layoutOf(model.variables);
    const parameters = new SharedArrayBuffer(threads > 1 ? layout.total * 4 : 0);
    const helpers = Array.from({ length: threads - 1 }, () =>
      startHelper<Init, Batch>(source.url, init, parameters, layout),
    );
    const pool = new ShardPool<Batch>(model, layout, new Float32Array(parameters), helpers);
    try {
      await Promise.all(helpers.map(({ ready }) => ready));
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  /** Loss and gradients of a whole batch; the caller disposes the gradients. @throws WorkerError WORKER */
  async gradients(shards: Batch[]): Promise<{ loss: number; grads: tf.NamedTensorMap }> {
    if (this.#helpers.length > 0) this.#publish();
    const lanes = this.#helpers.length + 1;
    let loss = 0;
    let sum: tf.NamedTensorMap | undefined;
    for (let first = 0; first < shards.length; first += lanes) {
      const others = Promise.all(
        shards.slice(first + 1, first + lanes).map((batch, i) => this.#helpers[i].run(batch)),
      );
      // Should this thread throw first, nobody awaits the others: their failure is then no news.
      others.catch(() => {});
      const own = this.model.gradients(shards[first]);
      loss += own.loss;
      sum = sum ? addInto(sum, own.grads) : own.grads;
      for (const [i, reply] of (await others).entries()) {
        loss += reply;
        sum = addInto(sum, this.#read(this.#helpers[i].gradients));
      }
    }
    return { loss, grads: sum! };
  }

  async close(): Promise<void> {
    await Promise.all(this.#helpers.map(({ worker }) => worker.terminate()));
  }

  #publish(): void {
    this.#layout.names.forEach((name, i) => {
      this.#parameters.set(this.model.variables[name].dataSync() as Float32Array, this.#layout.offsets[i]);
    });
  }

  #read(flat: Float32Array): tf.NamedTensorMap {
    const { names, offsets, sizes } = this.#layout;
    const entries = names.map((name, i) => {
      const values = flat.slice(offsets[i], offsets[i] + sizes[i]);
      return [name, tf.tensor(values, this.model.variables[name].shape, "float32")] as const;
    });
    return Object.fromEntries(entries);
  }
}

function addInto(sum: tf.NamedTensorMap, more: tf.NamedTensorMap): tf.NamedTensorMap {
  const added = Object.fromEntries(Object.entries(sum).map(([name, x]) => [name, tf.add(x, more[name])]));
  tf.dispose(sum);
  tf.dispose(more);
  return added;
}

function lostWorker(code: number): WorkerError<"WORKER"> {
  const rule = "every worker thread must live until the run ends";
  const remedy = "start again from the last checkpoint, with fewer threads if memory was short";
  return new WorkerError("WORKER", {
    op: OP,
    rule,
    got: `one that left with code ${code}`,
    remedy,
    exit: code,
  });
}

function failedWorker(message: string): WorkerError<"WORKER"> {
  const rule = "every shard must give a gradient";
  const remedy = "mend that and start again from the last checkpoint";
  return new WorkerError("WORKER", { op: OP, rule, got: `"${message}" from a worker thread`, remedy });
}

function startHelper<Init, Batch>(
  module: URL,
  init: Init,
  parameters: SharedArrayBuffer,
  layout: Layout,
): Helper<Batch> {
  const gradients = new SharedArrayBuffer(layout.total * 4);
  const workerData: WorkerStart<Init> = { module: module.href, init, parameters, gradients };
  const worker = new Worker(new URL("./shard-worker.js", import.meta.url), { workerData });
  let settle: { resolve(reply: WorkerReply): void; reject(error: Error): void } | undefined;
  let lost: Error | undefined;
  const fail = (error: Error) => {
    lost ??= error;
    settle?.reject(lost);
  };
  worker.on("message", (reply: WorkerReply) => settle?.resolve(reply));
  worker.on("error", fail);
  worker.on("exit", (code) => fail(lostWorker(code)));
  const answer = async () => {
    const reply = await new Promise<WorkerReply>((resolve, reject) => {
      settle = { resolve, reject };
      if (lost) reject(lost);
    });
    if ("error" in reply) throw failedWorker(reply.error);
    return "loss" in reply ? reply.loss : 0;
  };
  const run = (batch: Batch) => {
    const reply = answer();
    worker.postMessage(batch);
    return reply;
  };
  return { worker, ready: answer(), gradients: new Float32Array(gradients), run };
}
