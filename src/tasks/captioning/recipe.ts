import type { ShowAttendAndTellConfig } from "../../models/show-attend-and-tell/config.ts";
import type { SceneTrainingRecipe } from "../scenes/training-recipe.ts";

/**
 * Everything that decides what a training run computes. The same recipe and data give the same model, bit for bit, on
 * one machine and kernel build, however often the run is stopped and with however many threads.
 */
export interface CaptioningRecipe extends SceneTrainingRecipe {
  /** A model of captions to begin with, the name of one that ships or a folder; "" begins with random numbers and `grid`. */
  start: string;
  /** The grid that the model begins with, the name of one that ships or a folder; "" begins with random numbers. */
  grid: string;
  /** Whether the grid learns too, or stays as it is. */
  trainGrid: boolean;
  model: Omit<ShowAttendAndTellConfig, "vocabulary" | "annotation">;
  /** λ of the doubly stochastic penalty, for soft attention. */
  penaltyWeight: number;
  /** λ_r, λ_e and the share of captions that read the mean, for hard attention. */
  rewardWeight: number;
  entropyWeight: number;
  meanShare: number;
}

/**
 * The recipe that the shipped model began with. It went on from there, as its card says, by
 * `{"start": …, "model": {"contextDropout": 0.8}}`: a decoder that reads each item while it says "a" learnt to read it while
 * it names it.
 */
export const DEFAULT_CAPTIONING_RECIPE: CaptioningRecipe = {
  data: "fashion-mnist",
  start: "",
  grid: "scene-grid",
  trainGrid: false,
  model: { embedding: 32, decoder: 160, attention: 64, kind: "soft", dropout: 0, contextDropout: 0 },
  penaltyWeight: 0.02,
  rewardWeight: 0.1,
  entropyWeight: 0.01,
  meanShare: 0.5,
  seed: 1,
  epochs: 2,
  epochScenes: 12_000,
  shardScenes: 20,
  shards: 2,
  learningRate: 3e-3,
  warmupSteps: 50,
  clipNorm: 1,
  evaluateEvery: 150,
  validationScenes: 200,
  testScenes: 2000,
  patience: 20,
};
