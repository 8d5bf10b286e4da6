import type { SceneTrainingRecipe } from "../scenes/training-recipe.ts";
import type { DetectorConfig } from "./config.ts";

/**
 * Everything that decides what a training run computes. The same recipe and data give the same detector, bit for bit, on
 * one machine and kernel build, however often the run is stopped and with however many threads.
 */
export interface DetectionRecipe extends SceneTrainingRecipe {
  /** A grid that ships with heed or the folder of one, to begin with; "" for random numbers. */
  grid: string;
  /** Whether the grid learns on; else it stays as it is, which takes half the time. */
  trainGrid: boolean;
  model: DetectorConfig;
}

/** The recipe of the shipped detector. */
export const DEFAULT_DETECTION_RECIPE: DetectionRecipe = {
  data: "fashion-mnist",
  grid: "scene-grid",
  trainGrid: false,
  model: { nonLocal: 32, width: 64, heads: 4, inner: 128, encoderLayers: 0, decoderLayers: 2, queries: 9 },
  seed: 1,
  epochs: 6,
  epochScenes: 8000,
  shardScenes: 16,
  shards: 2,
  learningRate: 1.5e-3,
  warmupSteps: 100,
  clipNorm: 1,
  evaluateEvery: 250,
  validationScenes: 300,
  testScenes: 2000,
  patience: 8,
};
