import * as tf from "@tensorflow/tfjs-core";
import { DataError, OptionError } from "../core/errors.ts";
import type { SafetensorsTensor } from "../core/safetensors.ts";
import { Adam, type AdamOptions } from "./adam.ts";
import type { CheckpointContent } from "./checkpoint.ts";
import { copyTensor, copyTensors } from "./copy-tensor.ts";
import type { TrainLoopOptions } from "./loop.ts";
import type { Schedule } from "./schedule.ts";
import type { ShardModel, ShardPool } from "./shards.ts";

export interface ShardTrainingOptions<Batch> {
  /** The command or function that errors name. */
  op: string;
  pool: ShardPool<Batch>;
  /** Optimiser steps of the whole run. */
  steps: number;
  /** The shards of step k and the tokens (or rows) they count as: a pure function of k. */
  batchAt(k: number): { shards: Batch[]; tokens: number };
  learningRate: Schedule;
  adam?: Omit<AdamOptions, "learningRate">;
  /** What decides the run besides its data; a checkpoint of another one is refused. */
  recipe: unknown;
  /** A checksum of the data; a checkpoint of others is refused. */
  data: string;
}

/** A data-parallel run: Adam on the gradients of a `ShardPool`, with what `trainLoop` saves and puts back. */
export class ShardTraining<Batch> {
  readonly #options: ShardTrainingOptions<Batch>;
  readonly #adam: Adam;
  /** Time spent in steps, over all the calls that a run took. */
  seconds = 0;

  constructor(options: ShardTrainingOptions<Batch>) {
    this.#options = options;
    this.#adam = new Adam(options.adam);
  }

  get steps(): number {
    return this.#options.steps;
  }

  get #shard(): ShardModel<Batch> {
    return this.#options.pool.model;
  }

  /** What `trainLoop` calls of a run. */
  get run(): Pick<TrainLoopOptions, "steps" | "step" | "snapshot" | "restore" | "weights"> {
    return {
      steps: this.steps,
      step: (k) => this.step(k),
      snapshot: () => this.snapshot(),
      restore: (content) => this.restore(content),
      weights: () => this.weights(),
    };
  }

  /**
   * Optimiser step k of the run, a pure function of k and the parameters.
   *
   * @throws DataError NOT_FINITE
   */
  async step(k: number): Promise<{ loss: number; tokens: number }> {
    const { op, pool, batchAt, learningRate } = this.#options;
    const begun = performance.now();
    const { shards, tokens } = batchAt(k);
    const { loss, grads } = await pool.gradients(shards);
    this.#adam.learningRate = learningRate(k);
    const norm = this.#adam.apply(grads, this.#shard.variables);
    tf.dispose(grads);
    if (!Number.isFinite(norm)) {
      const got = `a norm of ${norm} at step ${k}`;
      const remedy = "lower the learning rate and start again from the last checkpoint";
      throw new DataError("NOT_FINITE", { op, rule: "gradients must be finite", got, remedy, step: k });
    }
    this.seconds += (performance.now() - begun) / 1000;
    return { loss, tokens };
  }

  /** All that a step reads and changes; the random numbers are functions of k. */
  snapshot(): CheckpointContent {
    const { recipe, data } = this.#options;
    const tensors = this.weights();
    const adam = this.#adam.state();
    for (const [name, tensor] of Object.entries(adam)) tensors[`adam/${name}`] = copyTensor(tensor);
    tf.dispose(adam);
    return { tensors, state: { recipe, data, seconds: this.seconds } };
  }

  /** The trainable values, as copies. */
  weights(): Record<string, SafetensorsTensor> {
    return copyTensors(this.#shard.variables);
  }

  /** @throws OptionError MISMATCH when the checkpoint was made by another recipe or from other data */
  restore({ tensors, state }: CheckpointContent): void {
    const { recipe, data } = this.#options;
    const { variables } = this.#shard;
    const made = (state ?? {}) as { recipe?: unknown; data?: string; seconds?: unknown };
    if (JSON.stringify(made.recipe) !== JSON.stringify(recipe)) throw this.#another("recipe");
    if (made.data !== data) throw this.#another("training data");
    this.seconds = Number.isFinite(made.seconds) ? (made.seconds as number) : 0;
    const adam: Record<string, tf.Tensor> = {};
    for (const [name, { dtype, shape, data: values }] of Object.entries(tensors)) {
      if (!name.startsWith("adam/") && `${variables[name]?.shape}` !== `${shape}`)
        throw this.#another("model");
      const value = tf.tensor(values as Float32Array, shape, dtype === "I32" ? "int32" : "float32");
      if (name.startsWith("adam/")) adam[name.slice("adam/".length)] = value;
      else {
        variables[name]!.assign(value);
        value.dispose();
      }
    }
    this.#adam.restore(adam);
    tf.dispose(adam);
  }

  async close(): Promise<void> {
    await this.#options.pool.close();
    this.#adam.dispose();
  }

  #another(what: string): OptionError<"MISMATCH"> {
    const rule = `a run must go on with the ${what} that it began with`;
    const remedy = "choose an empty folder for the checkpoints, or give what the first call had";
    return new OptionError("MISMATCH", { op: this.#options.op, rule, got: "another", remedy });
  }
}
