import { llama } from "../../models/transformer/presets/llama.ts";
import { linearSchedule } from "../../train/schedule.ts";
import { ShardTraining } from "../../train/shard-training.ts";
import { ShardPool } from "../../train/shards.ts";
import type { LanguageModelRecipe } from "./recipe.ts";
import { createShard, type LanguageModelShard, type ShardBatch, type ShardInit } from "./shard.ts";
import type { LanguageModelText } from "./text.ts";
import { windowsOf, windowsPerEpoch } from "./windows.ts";

export interface LanguageModelTraining {
  readonly training: ShardTraining<ShardBatch>;
  readonly shard: LanguageModelShard;
  readonly stepsPerEpoch: number;
}

/** The run of a recipe over a text: what batch k is, and at which rate it is learnt. */
export async function startTraining(
  recipe: LanguageModelRecipe,
  text: LanguageModelText,
  threads: number,
): Promise<LanguageModelTraining> {
  const { seed, length: T, shardRows, shards, warmupSteps, beta2, clipNorm } = recipe;
  const { train } = text.splits;
  const rows = shards * shardRows;
  const stepsPerEpoch = Math.max(1, Math.floor(windowsPerEpoch(train.length, T) / rows));
  const steps = recipe.epochs * stepsPerEpoch;
  let drawn: { epoch: number; windows: Int32Array } = { epoch: -1, windows: new Int32Array(0) };
  const batchAt = (k: number) => {
    const epoch = Math.floor(k / stepsPerEpoch);
    if (epoch !== drawn.epoch) drawn = { epoch, windows: windowsOf(train.length, T, seed, epoch) };
    const { windows } = drawn;
    const first = (k % stepsPerEpoch) * rows;
    const chosen = Array.from({ length: rows }, (_, n) => windows[(first + n) % windows.length]!);
    const cut = Array.from({ length: shards }, (_, i) => ({
      ids: rowsOf(train, chosen.slice(i * shardRows, (i + 1) * shardRows), T),
      rows: shardRows,
      share: 1 / shards,
      dropoutSeed: seed * 2 ** 24 + k * shards + i,
    }));
    return { shards: cut, tokens: rows * T };
  };
  const config = llama({ ...recipe.model, vocabulary: text.characters.size });
  const module = { createShard, url: new URL("./shard.js", import.meta.url) };
  const pool = await ShardPool.start<ShardInit, ShardBatch>(
    module,
    { config, seed },
    Math.min(threads, shards),
  );
  const training = new ShardTraining({
    op: "heed train language-model",
    pool,
    steps,
    batchAt,
    learningRate: linearSchedule({ peak: recipe.learningRate, warmupSteps, steps }),
    adam: { beta2, clipNorm },
    recipe,
    data: text.checksum,
  });
  return { training, shard: pool.model as LanguageModelShard, stepsPerEpoch };
}

/** Windows of T + 1 characters, one after the other. */
export function rowsOf(text: Int32Array, starts: readonly number[], T: number): Int32Array {
  const ids = new Int32Array(starts.length * (T + 1));
  for (const [n, start] of starts.entries()) ids.set(text.subarray(start, start + T + 1), n * (T + 1));
  return ids;
}
