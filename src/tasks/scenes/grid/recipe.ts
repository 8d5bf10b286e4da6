import type { SceneTrainingRecipe } from "../training-recipe.ts";
/**
 * Everything that decides what the training of a grid computes. The same recipe and data give the same grid, bit for bit,
 * on one machine and kernel build, however often the run is stopped and with however many threads.
 */
export interface GridRecipe extends SceneTrainingRecipe {
  /** Nothing to choose: a grid is `DEFAULT_GRID`. */
  model: Record<string, never>;
}

export const DEFAULT_GRID_RECIPE: GridRecipe = {
  data: "fashion-mnist",
  model: {},
  seed: 1,
  epochs: 20,
  epochScenes: 12_000,
  shardScenes: 24,
  shards: 2,
  learningRate: 2e-3,
  warmupSteps: 100,
  clipNorm: 1,
  evaluateEvery: 500,
  validationScenes: 500,
  testScenes: 2000,
  patience: 8,
};
