/** What every training on composed scenes is told, besides its model. */
export interface SceneTrainingRecipe {
  /** Name of the data set of items. */
  data: string;
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
  /** Scenes of test items that the finished model is scored on. */
  testScenes: number;
  /** Looks without a better score before the run stops. */
  patience: number;
}
