import type * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../core/errors.ts";
import type { AdamOptions } from "./adam.ts";
import { copyInto } from "./copy-tensor.ts";
import { type TrainLoopOptions, type TrainLoopResult, trainLoop } from "./loop.ts";
import { namedGradients } from "./named-gradients.ts";
import type { Schedule } from "./schedule.ts";
import { ShardTraining } from "./shard-training.ts";
import { ShardPool } from "./shards.ts";

type OfLoop = "evaluate" | "evaluateEvery" | "earlyStopping" | "checkpoint" | "progress" | "signal";

export interface TrainOnOptions<Batch> extends Pick<TrainLoopOptions, OfLoop> {
  /** What is trained, by name: all of a model, `parameters.without(…)`, or the `variables` of an adapter. */
  variables: Record<string, tf.Variable>;
  /** The batch of step k and the tokens that it counts as: a pure function of k. */
  batchAt(k: number): { batch: Batch; tokens: number };
  /** The loss of a batch. @param dropoutSeed of this step, another one for each */
  loss(batch: Batch, dropoutSeed: number): tf.Scalar;
  /** Optimiser steps of the whole run. */
  steps: number;
  learningRate: Schedule;
  adam?: Omit<AdamOptions, "learningRate">;
  /** Of dropout. @default 0 */
  seed?: number;
  /** What decides the run besides its data; a checkpoint of another one is refused. */
  recipe?: unknown;
  /** A checksum of the data; a checkpoint of others is refused. */
  data?: string;
}

/**
 * Trains a model on, with Adam: all of it, its upper layers, or an adapter. What is not among `variables` stays as it is, bit for
 * bit, and is in no checkpoint. With `evaluate` the variables end as the best that it saw, else as the last. `seconds` is the
 * time spent in steps, over all the calls that the run took.
 *
 * @throws OptionError OPTION for a learning rate that is no schedule, MISMATCH where a checkpoint is another run's · DataError NOT_FINITE · those of `trainLoop`
 * @example
 * const w = tf.variable(tf.scalar(4));
 * const { step } = await trainOn({
 *   variables: { w },
 *   batchAt: (k) => ({ batch: k % 2, tokens: 1 }),
 *   loss: (batch) => tf.square(tf.sub(w, batch)),
 *   steps: 50,
 *   learningRate: linearSchedule({ peak: 0.3, steps: 50 }),
 * });
 * step; // 50
 * Math.abs(w.dataSync()[0] - 0.5) < 0.3; // true
 */
export async function trainOn<Batch>(
  options: TrainOnOptions<Batch>,
): Promise<TrainLoopResult & { readonly seconds: number }> {
  const { variables, loss, batchAt, seed = 0, recipe = {}, data = "", adam, ...loop } = options;
  checkSchedule(options.learningRate);
  const shard = {
    variables,
    gradients: ({ batch, dropoutSeed }: { batch: Batch; dropoutSeed: number }) =>
      namedGradients(variables, () => loss(batch, dropoutSeed)),
  };
  // One thread: its module is imported by none. The kernels have threads of their own.
  const module = { createShard: async () => shard, url: new URL(import.meta.url) };
  const training = new ShardTraining({
    op: "trainOn",
    pool: await ShardPool.start(module, undefined, 1),
    steps: options.steps,
    batchAt(k) {
      const { batch, tokens } = batchAt(k);
      return { shards: [{ batch, dropoutSeed: seed * 2 ** 24 + k }], tokens };
    },
    learningRate: options.learningRate,
    ...(adam && { adam }),
    recipe,
    data,
  });
  try {
    const result = await trainLoop({ ...loop, ...training.run });
    if (result.best && result.stopped !== "signal") copyInto(variables, result.best.weights);
    return { ...result, seconds: training.seconds };
  } finally {
    await training.close();
  }
}

function checkSchedule(learningRate: unknown): void {
  if (typeof learningRate === "function") return;
  throw new OptionError("OPTION", {
    op: "trainOn",
    rule: "learningRate must be a function of the step",
    got: learningRate === undefined ? "nothing" : JSON.stringify(learningRate),
    remedy: "pass constantSchedule({ peak: 0.001 }), or another schedule",
  });
}
