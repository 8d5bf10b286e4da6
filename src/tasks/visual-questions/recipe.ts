import type { CoAttentionConfig } from "../../models/co-attention-transformer.ts";

/**
 * Everything that decides what a training run computes. The same recipe and data give the same model, bit for bit, on
 * one machine and kernel build, however often the run is stopped and with however many threads.
 */
export interface VisualQuestionsRecipe {
  /** Name of the data set: of items, of which scenes are composed, or of pictures with questions. */
  data: string;
  model: Omit<CoAttentionConfig, "vocabulary" | "answers">;
  /** The grid of features to begin with, by its name or folder; "" for random values. */
  grid: string;
  /** Whether the grid learns too, or stays as it is. */
  trainGrid: boolean;
  /** Epochs after the others in which the grid learns too, of scenes that come once, at this peak of the learning rate; 0 for none. */
  gridEpochs: number;
  gridLearningRate: number;
  seed: number;
  epochs: number;
  /** Scenes that are composed; where the grid does not learn, each epoch asks other questions about the same ones. Of pictures with questions an epoch is all of them. */
  epochScenes: number;
  /** Questions about each scene. */
  sceneQuestions: number;
  /** Pictures in one shard of a batch. */
  shardPictures: number;
  /** Shards in one batch; they are computed at once where there are threads for them. */
  shards: number;
  /**
   * Weight of −log(mass of the asked word on the asked item) in the first layer: words are taught where their items are. 0
   * leaves it to the answers.
   */
  groundingWeight: number;
  learningRate: number;
  warmupSteps: number;
  clipNorm: number;
  /** Steps between two looks at validation questions, and how many scenes they are about. */
  evaluateEvery: number;
  validationScenes: number;
  /** Scenes of test items that the finished model is scored on. */
  testScenes: number;
  /** Looks without a better score before the run stops. */
  patience: number;
}

/** The recipe of the shipped model. */
export const DEFAULT_VISUAL_QUESTIONS_RECIPE: VisualQuestionsRecipe = {
  data: "fashion-mnist",
  model: { positions: 12, layers: 2, width: 64, heads: 4, inner: 128 },
  grid: "scene-grid",
  trainGrid: false,
  gridEpochs: 1.5,
  gridLearningRate: 1e-3,
  seed: 1,
  epochs: 12,
  epochScenes: 3200,
  sceneQuestions: 6,
  shardPictures: 12,
  shards: 2,
  groundingWeight: 0.2,
  learningRate: 3e-3,
  warmupSteps: 50,
  clipNorm: 1,
  evaluateEvery: 100,
  validationScenes: 150,
  testScenes: 1000,
  patience: 8,
};
