// The module that each thread of a training run imports: one replica of the model, gradients of one shard.
import { loadGradients } from "../../host/gradients.ts";
import { useHeedBackend } from "../../host/select.ts";
import type { PointerGeneratorConfig } from "../../models/pointer-generator/config.ts";
import { PointerGenerator } from "../../models/pointer-generator/pointer-generator.ts";
import { namedGradients } from "../../train/named-gradients.ts";
import type { ShardModel } from "../../train/shards.ts";
import type { PairShard } from "../pair-batches.ts";

export interface ShardInit {
  config: PointerGeneratorConfig;
  seed: number;
  /** The values of a trained model to go on from, in place of random ones. */
  start?: Readonly<Record<string, Float32Array>>;
  coverageWeight: number;
}

export interface ShardBatch extends Omit<PairShard, "corpus"> {
  /** Whether the score reads the coverage at this step. */
  coverage: boolean;
}

export interface SummarizationShard extends ShardModel<ShardBatch> {
  readonly model: PointerGenerator;
}

export async function createShard({
  config,
  seed,
  start,
  coverageWeight,
}: ShardInit): Promise<SummarizationShard> {
  await loadGradients();
  await useHeedBackend();
  const model = new PointerGenerator(config, start ?? seed);
  const { variables } = model.parameters;
  return {
    model,
    variables,
    gradients: ({ source, target, pieces, dropoutSeed, coverage }) =>
      namedGradients(variables, () =>
        model.loss(source, target, { pieces, dropoutSeed, coverage, coverageWeight }),
      ),
  };
}
