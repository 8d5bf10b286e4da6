import type { TrackerConfig } from "../../models/glimpse/hierarchical-attentive-tracker.ts";
import type { ComparedRecipe } from "../compared-training.ts";

/**
 * Everything that decides what a training run computes. The same recipe and data give the same model, bit for bit, on
 * one machine and kernel build, however often the run is stopped.
 */
export interface TrackingRecipe extends ComparedRecipe {
  model: Omit<TrackerConfig, "image" | "motion" | "channels">;
  /** Videos that are composed for one epoch, the same in each. */
  videos: number;
  /** Frames of a video in training, in none of which the digit is hidden. */
  times: number;
  /** Videos of a test. */
  testVideos: number;
  /** Other digits in a video. */
  distractors: number;
  /**
   * The prior on motion, of the model and not of its baseline: λ of the penalty on changes of speed, in sides of a box, in videos
   * that nobody has marked, in which the digit is hidden from some frame on.
   */
  penalty: number;
  /** Unmarked videos in a batch. */
  unmarked: number;
}

/** The name of the digits that heed draws itself. */
export const DRAWN_DIGITS = "drawn-digits";

/** The recipe of the shipped model. */
export const TRACKING_RECIPE: TrackingRecipe = {
  data: "mnist",
  model: { glimpse: [9, 9], context: 2, features: 8, appearance: 64, units: 64, speedFrames: 6 },
  videos: 19200,
  times: 8,
  testVideos: 500,
  distractors: 2,
  penalty: 10,
  unmarked: 12,
  seed: 1,
  epochs: 2,
  batch: 24,
  learningRate: 4e-3,
  warmupSteps: 20,
  clipNorm: 1,
  evaluateEvery: 100,
  patience: 5,
};
