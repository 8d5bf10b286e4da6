import type { GatedBandClassifierConfig } from "../../models/gated/index.ts";
import type { ComparedRecipe } from "../compared-training.ts";
import type { BandFormat } from "./bands.ts";

/**
 * Everything that decides what a training run computes. The same recipe gives the same model, bit for bit, on one machine
 * and kernel build, however often the run is stopped.
 */
export interface FormantRecipe extends ComparedRecipe {
  model: Omit<GatedBandClassifierConfig, "bands" | "classes" | "gated">;
  format: BandFormat;
  /** Samples of a clip. */
  samples: number;
  /** Bands of noise in a clip. */
  noises: number;
  /** Signal-to-noise ratio of training clips, in decibels. */
  snr: [least: number, most: number];
  /** Clips that are composed for training, for validation, and for each level of noise of the test. */
  clips: { train: number; valid: number; test: number };
  /** Of the mean gate in the loss: what is not needed closes. */
  penalty: number;
  /** Of the gate's entropy in the loss: a band is open or closed. */
  decision: number;
  /** Of the squared weights that read the bands, of both models: weights that are free to grow would make up for gates that close. */
  decay: number;
}

/** The name of the vowels that heed composes. */
export const COMPOSED = "composed-vowels";

/** The recipe of the shipped model. */
export const FORMANT_RECIPE: FormantRecipe = {
  data: COMPOSED,
  model: { taps: 7, narrow: 8, width: 16, heads: 2 },
  format: { rate: 8000, window: 256, hop: 192, bands: 20, lowest: 200, highest: 3500, scale: 3 },
  samples: 2560,
  noises: 4,
  snr: [-6, 6],
  clips: { train: 1500, valid: 500, test: 1000 },
  penalty: 0.4,
  decision: 0.4,
  decay: 0.003,
  seed: 1,
  epochs: 70,
  batch: 32,
  learningRate: 1e-2,
  warmupSteps: 50,
  clipNorm: 1,
  evaluateEvery: 62,
  patience: 12,
};
