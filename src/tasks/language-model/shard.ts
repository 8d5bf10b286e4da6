// The module that each thread of a training run imports: one replica of the model, gradients of one shard.
import * as tf from "@tensorflow/tfjs-core";
import { loadGradients } from "../../host/gradients.ts";
import { useHeedBackend } from "../../host/select.ts";
import type { TransformerConfig } from "../../models/transformer/config.ts";
import { Transformer, tokenLoss } from "../../models/transformer/transformer.ts";
import { namedGradients } from "../../train/named-gradients.ts";
import type { ShardModel } from "../../train/shards.ts";

export interface ShardInit {
  config: TransformerConfig;
  seed: number;
}

/** A piece of a batch: rows of T + 1 characters, of which the last T are asked for. */
export interface ShardBatch {
  /** [rows · (T + 1)] */
  ids: Int32Array;
  rows: number;
  /** What this shard is of the whole batch: losses are multiplied by it, so that shards add up. */
  share: number;
  /** A number of its own for each shard of each step. */
  dropoutSeed: number;
}

export interface LanguageModelShard extends ShardModel<ShardBatch> {
  readonly model: Transformer;
}

/** Mean loss in nats of rows of T + 1 tokens. */
export function windowLoss(
  model: Transformer,
  { ids, rows }: Pick<ShardBatch, "ids" | "rows">,
  dropoutSeed?: number,
): tf.Scalar {
  return tf.tidy(() => {
    const all = tf.tensor2d(ids, [rows, ids.length / rows], "int32");
    const T = all.shape[1] - 1;
    const [tokens, next] = [tf.slice(all, [0, 0], [rows, T]), tf.slice(all, [0, 1], [rows, T])];
    return tokenLoss(model.logits(model.decode({ tokens }, { dropoutSeed })), next);
  });
}

export async function createShard({ config, seed }: ShardInit): Promise<LanguageModelShard> {
  await loadGradients();
  await useHeedBackend();
  const model = new Transformer(config, seed);
  const { variables } = model.parameters;
  return {
    model,
    variables,
    gradients: ({ share, dropoutSeed, ...batch }) =>
      namedGradients(variables, () => tf.mul(windowLoss(model, batch, dropoutSeed), share)),
  };
}
