// The module that each thread of a training run imports: one replica of the model, gradients of one shard.
import { loadGradients } from "../../../host/gradients.ts";
import { useHeedBackend } from "../../../host/select.ts";
import { Transformer } from "../../../models/transformer/transformer.ts";
import { namedGradients } from "../../../train/named-gradients.ts";
import type { ShardModel } from "../../../train/shards.ts";
import type { PairShard } from "../../pair-batches.ts";
import { modelConfig, translationLoss } from "./model.ts";
import type { ModelSizes } from "./recipe.ts";

export interface ShardInit {
  model: ModelSizes;
  vocabulary: number;
  /** For each corpus, the pieces of its target language. */
  outputs: readonly Int32Array[];
  /** A seed of the first weights, or the weights. */
  start: number | Readonly<Record<string, Float32Array>>;
  smoothing: number;
}

export interface MultilingualShard extends ShardModel<PairShard> {
  readonly model: Transformer;
}

export async function createShard(init: ShardInit): Promise<MultilingualShard> {
  await loadGradients();
  await useHeedBackend();
  const { outputs, smoothing } = init;
  const model = new Transformer(modelConfig(init.model, init.vocabulary), init.start);
  const { variables } = model.parameters;
  return {
    model,
    variables,
    gradients: (batch) =>
      namedGradients(variables, () => translationLoss(model, outputs[batch.corpus]!, batch, { smoothing })),
  };
}
