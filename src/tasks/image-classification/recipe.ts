import type { Augmentation } from "./augment.ts";
import type { ClassifierConfig, ImageFormat } from "./config.ts";

/**
 * Everything that decides what a training run computes. The same recipe and data give the same model, bit for bit, on
 * one machine and kernel build, however often the run is stopped and with however many threads.
 */
export interface Recipe {
  /** Name of the data set. */
  data: string;
  model: Omit<ClassifierConfig, "image" | "classes"> & Pick<ImageFormat, "patch" | "mean" | "deviation">;
  augmentation: Augmentation;
  seed: number;
  epochs: number;
  /** Images in one shard of a batch. */
  shardImages: number;
  /** Shards in one batch; they are computed at once where there are threads for them. */
  shards: number;
  learningRate: number;
  warmupSteps: number;
  smoothing: number;
  clipNorm: number;
  /** Steps between two looks at the validation part. */
  evaluateEvery: number;
  /** Looks without a better score before the run stops. */
  patience: number;
}

/** The recipe of the shipped Fashion-MNIST model. */
export const DEFAULT_RECIPE: Recipe = {
  data: "fashion-mnist",
  // Mean and deviation are those of the training images.
  model: { patch: 4, mean: 0.286, deviation: 0.353, layers: 4, width: 64, heads: 4, inner: 128, dropout: 0 },
  augmentation: { shift: 1, flip: true },
  seed: 1,
  epochs: 10,
  shardImages: 48,
  shards: 2,
  learningRate: 2e-3,
  warmupSteps: 400,
  smoothing: 0.1,
  clipNorm: 1,
  evaluateEvery: 572,
  patience: 8,
};
