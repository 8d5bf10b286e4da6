/**
 * Everything that decides what the training of a grid computes. The same recipe and data give the same grid, bit for bit,
 * on one machine and kernel build, however often the run is stopped and with however many threads.
 */
export interface GridRecipe {
  /** Name of the data set of items. */
  data: string;
  /** Nothing to choose: a grid is `DEFAULT_GRID`. */
  model: Record<string, never>;
  seed: number;
  epochs: number;
  /** Scenes composed in an epoch; no scene comes twice. */
  epochScenes: number;
  /** Scenes in one shard of a batch. */
  shardScenes: number;
  /** Shards in one batch; they are computed at once where there are threads for them. */
  shards: number;
  learningRate: number;
  warmupSteps: number;
  clipNorm: number;
  /** Steps between two looks at scenes of validation items, and how many scenes: always the same. */
  evaluateEvery: number;
  validationScenes: number;
  /** Scenes of test items that the finished grid is scored on. */
  testScenes: number;
  /** Looks without a better score before the run stops. */
  patience: number;
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
