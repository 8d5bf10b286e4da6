import type { NamedTensorMap } from "@tensorflow/tfjs-core";
import * as tf from "@tensorflow/tfjs-core";
import { DataError, OptionError } from "../../core/errors.ts";
import type { SafetensorsTensor } from "../../core/safetensors.ts";
import { makeBatches, padBatch } from "../../data/batching.ts";
import type { Seq2SeqConfig } from "../../models/seq2seq/config.ts";
import { Adam } from "../../train/adam.ts";
import type { CheckpointContent } from "../../train/checkpoint.ts";
import { linearSchedule } from "../../train/schedule.ts";
import { ShardPool } from "../../train/shards.ts";
import type { Corpus } from "./corpus.ts";
import type { Recipe } from "./recipe.ts";
import { createShard, type ShardBatch, type ShardInit, type TranslationShard } from "./shard.ts";

const OP = "heed train translation";

/** The steps of one run: what batch k of the run is, at which rate, and one optimiser step on it. */
export class TranslationTraining {
  readonly recipe: Recipe;
  readonly corpus: Corpus;
  readonly stepsPerEpoch: number;
  readonly pool: ShardPool<ShardBatch>;
  readonly adam: Adam;
  /** Time spent in steps, over all the calls that a run took. */
  seconds = 0;
  readonly #schedule: (step: number) => number;
  #epoch = -1;
  #batches: Int32Array[] = [];

  private constructor(recipe: Recipe, corpus: Corpus, pool: ShardPool<ShardBatch>) {
    this.recipe = recipe;
    this.corpus = corpus;
    this.pool = pool;
    this.adam = new Adam({ learningRate: recipe.learningRate, clipNorm: recipe.clipNorm });
    // Epochs differ by a few batches; the first one's count holds for all, so that a step number names its epoch.
    this.stepsPerEpoch = Math.floor(this.#epochBatches(0).length / recipe.shards);
    const { learningRate: peak, warmupSteps } = recipe;
    this.#schedule = linearSchedule({ peak, warmupSteps, steps: this.steps });
  }

  static async start(recipe: Recipe, corpus: Corpus, threads: number): Promise<TranslationTraining> {
    const config: Seq2SeqConfig = {
      ...recipe.model,
      sourceVocabulary: corpus.source.size,
      targetVocabulary: corpus.target.size,
    };
    const init: ShardInit = { config, seed: recipe.seed, smoothing: recipe.smoothing };
    const module = { createShard, url: new URL("./shard.js", import.meta.url) };
    const pool = await ShardPool.start<ShardInit, ShardBatch>(module, init, Math.min(threads, recipe.shards));
    try {
      return new TranslationTraining(recipe, corpus, pool);
    } catch (error) {
      await pool.close();
      throw error;
    }
  }

  get shard(): TranslationShard {
    return this.pool.model as TranslationShard;
  }

  get steps(): number {
    return this.stepsPerEpoch * this.recipe.epochs;
  }

  /** Optimiser step k of the run, a pure function of k and the parameters. */
  async step(k: number): Promise<{ loss: number; tokens: number }> {
    const begun = performance.now();
    const shards = this.#shardsAt(k);
    const pieces = shards[0].pieces;
    const { loss, grads } = await this.pool.gradients(shards);
    this.adam.learningRate = this.#schedule(k);
    const norm = this.adam.apply(grads as NamedTensorMap, this.shard.variables);
    tf.dispose(grads);
    if (!Number.isFinite(norm)) {
      const got = `a norm of ${norm} at step ${k}`;
      const remedy = "lower the learning rate and start again from the last checkpoint";
      const details = { op: OP, rule: "gradients must be finite", got, remedy, step: k };
      throw new DataError("NOT_FINITE", details);
    }
    this.seconds += (performance.now() - begun) / 1000;
    return { loss, tokens: pieces };
  }

  /** All that a step reads and changes; the random numbers are functions of k. */
  snapshot(): CheckpointContent {
    const tensors = this.weights();
    const adam = this.adam.state();
    for (const [name, tensor] of Object.entries(adam)) tensors[`adam/${name}`] = copyTensor(tensor);
    tf.dispose(adam);
    return { tensors, state: { recipe: this.recipe, data: this.corpus.checksum, seconds: this.seconds } };
  }

  /** The trainable values, as copies. */
  weights(): Record<string, SafetensorsTensor> {
    const entries = Object.entries(this.shard.variables);
    return Object.fromEntries(entries.map(([name, variable]) => [name, copyTensor(variable)]));
  }

  /** @throws OptionError MISMATCH when the checkpoint was made by another recipe or from other data */
  restore({ tensors, state }: CheckpointContent): void {
    const made = (state ?? {}) as { recipe?: Recipe; data?: string; seconds?: unknown };
    if (JSON.stringify(made.recipe) !== JSON.stringify(this.recipe)) throw another("recipe");
    if (made.data !== this.corpus.checksum) throw another("training data");
    this.seconds = Number.isFinite(made.seconds) ? (made.seconds as number) : 0;
    const adam: Record<string, tf.Tensor> = {};
    for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
      if (!name.startsWith("adam/") && `${this.shard.variables[name]?.shape}` !== `${shape}`)
        throw another("model");
      const value = tf.tensor(data as Float32Array, shape, dtype === "I32" ? "int32" : "float32");
      if (name.startsWith("adam/")) adam[name.slice("adam/".length)] = value;
      else {
        this.shard.variables[name].assign(value);
        value.dispose();
      }
    }
    this.adam.restore(adam);
    tf.dispose(adam);
  }

  async close(): Promise<void> {
    await this.pool.close();
    this.adam.dispose();
    this.shard.model.dispose();
  }

  #epochBatches(epoch: number): Int32Array[] {
    if (epoch !== this.#epoch) {
      const { shardTokens, seed } = this.recipe;
      this.#batches = makeBatches(this.corpus.pairs, { maxTokens: shardTokens, seed, epoch });
      this.#epoch = epoch;
    }
    return this.#batches;
  }

  #shardsAt(k: number): ShardBatch[] {
    const { shards, seed } = this.recipe;
    const { pairs } = this.corpus;
    const batches = this.#epochBatches(Math.floor(k / this.stepsPerEpoch));
    const first = (k % this.stepsPerEpoch) * shards;
    const chosen = Array.from({ length: shards }, (_, i) =>
      Array.from(batches[(first + i) % batches.length], (n) => pairs[n]),
    );
    const pieces = chosen.flat().reduce((sum, { target }) => sum + target.length, 0);
    return chosen.map((rows, i) => ({
      source: padBatch(rows.map(({ source }) => source)),
      target: padBatch(rows.map(({ target }) => target)),
      pieces,
      dropoutSeed: 2 * (seed * 2 ** 24 + k * shards + i),
    }));
  }
}

function another(what: string): OptionError<"MISMATCH"> {
  const rule = `a run must go on with the ${what} that it began with`;
  const remedy = "choose an empty folder for the checkpoints, or give what the first call had";
  return new OptionError("MISMATCH", { op: OP, rule, got: "another", remedy });
}

function copyTensor(tensor: tf.Tensor): SafetensorsTensor {
  const { shape } = tensor;
  const data = tensor.dataSync();
  return tensor.dtype === "int32"
    ? { dtype: "I32", shape, data: (data as Int32Array).slice() }
    : { dtype: "F32", shape, data: (data as Float32Array).slice() };
}
