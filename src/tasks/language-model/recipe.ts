import type { LlamaOptions } from "../../models/transformer/presets/llama.ts";

/**
 * Everything that decides what a training run computes. The same recipe and text give the same model, bit for bit, on
 * one machine and kernel build, however often the run is stopped and with however many threads.
 */
export interface LanguageModelRecipe {
  /** Name of the data set. */
  data: string;
  model: Omit<LlamaOptions, "vocabulary">;
  seed: number;
  epochs: number;
  /** T, characters of a window; the model learns to read no further. */
  length: number;
  /** Windows in one shard of a batch. */
  shardRows: number;
  /** Shards in one batch; they are computed at once where there are threads for them. */
  shards: number;
  learningRate: number;
  warmupSteps: number;
  beta2: number;
  clipNorm: number;
  /** Steps between two looks at the validation split. */
  evaluateEvery: number;
  /** Looks without a better score before the run stops. */
  patience: number;
}

/** The recipe of the shipped model. */
export const DEFAULT_LANGUAGE_MODEL_RECIPE: LanguageModelRecipe = {
  data: "tiny-shakespeare",
  model: { layers: 5, width: 128, heads: 4, inner: 336, tied: true, dropout: 0.1 },
  seed: 1,
  epochs: 16,
  length: 256,
  shardRows: 8,
  shards: 2,
  learningRate: 3e-3,
  warmupSteps: 100,
  beta2: 0.99,
  clipNorm: 1,
  evaluateEvery: 245,
  patience: 4,
};
