// The module that each thread of a training run imports: one replica of the model, gradients of one shard.
import type { PaddedBatch } from "../../data/batching.ts";
import { loadGradients } from "../../host/gradients.ts";
import { useHeedBackend } from "../../host/select.ts";
import type { Seq2SeqConfig } from "../../models/seq2seq/config.ts";
import { Seq2Seq } from "../../models/seq2seq/seq2seq.ts";
import { namedGradients } from "../../train/named-gradients.ts";
import type { ShardModel } from "../../train/shards.ts";

export interface ShardInit {
  config: Seq2SeqConfig;
  seed: number;
  smoothing: number;
}

/** A piece of a batch, with what ties it to the whole. */
export interface ShardBatch {
  source: PaddedBatch;
  target: PaddedBatch;
  /** Target pieces in all shards of the batch: losses are divided by it, so that shards add up. */
  pieces: number;
  /** A number of its own for each shard of each step. */
  dropoutSeed: number;
}

export interface TranslationShard extends ShardModel<ShardBatch> {
  readonly model: Seq2Seq;
}

export async function createShard({ config, seed, smoothing }: ShardInit): Promise<TranslationShard> {
  await loadGradients();
  await useHeedBackend();
  const model = new Seq2Seq(config, seed);
  const { variables } = model.parameters;
  return {
    model,
    variables,
    gradients: ({ source, target, pieces, dropoutSeed }) =>
      namedGradients(variables, () => model.loss(source, target, { smoothing, dropoutSeed, pieces })),
  };
}
