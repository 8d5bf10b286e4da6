// The module that each thread of a training run imports: one replica of the model, gradients of one shard.
import { loadGradients } from "../../host/gradients.ts";
import { useHeedBackend } from "../../host/select.ts";
import type { Seq2SeqConfig } from "../../models/seq2seq/config.ts";
import { Seq2Seq } from "../../models/seq2seq/seq2seq.ts";
import { namedGradients } from "../../train/named-gradients.ts";
import type { ShardModel } from "../../train/shards.ts";
import type { PairShard } from "../pair-batches.ts";

export interface ShardInit {
  config: Seq2SeqConfig;
  seed: number;
  smoothing: number;
}

export type ShardBatch = Omit<PairShard, "corpus">;

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
