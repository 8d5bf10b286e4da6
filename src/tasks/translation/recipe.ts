import { DEFAULT_CONFIG, type Seq2SeqConfig } from "../../models/seq2seq/config.ts";

/**
 * Everything that decides what a training run computes. The same recipe and data give the same model, bit for bit, on
 * one machine and kernel build, however often the run is stopped and with however many threads.
 */
export interface Recipe {
  /** Name of the data set. */
  data: string;
  /** Pieces of each vocabulary, the four special ones included. */
  sourceVocabulary: number;
  targetVocabulary: number;
  model: Omit<Seq2SeqConfig, "sourceVocabulary" | "targetVocabulary">;
  seed: number;
  epochs: number;
  /** Pieces of both sides, padding included, in one shard of a batch. */
  shardTokens: number;
  /** Shards in one batch; they are computed at once where there are threads for them. */
  shards: number;
  /** Longest side of a training pair, in pieces; longer pairs are left out. */
  maxPieces: number;
  learningRate: number;
  warmupSteps: number;
  smoothing: number;
  clipNorm: number;
  /** Steps between two looks at the validation split. */
  evaluateEvery: number;
  /** Looks without a better score before the run stops. */
  patience: number;
}

/** The recipe of the shipped English–French model. */
export const DEFAULT_RECIPE: Recipe = {
  data: "tatoeba-en-fr",
  sourceVocabulary: 4000,
  targetVocabulary: 4500,
  model: DEFAULT_CONFIG,
  seed: 1,
  epochs: 5,
  shardTokens: 1800,
  shards: 2,
  maxPieces: 40,
  learningRate: 2e-3,
  warmupSteps: 300,
  smoothing: 0.1,
  clipNorm: 1,
  evaluateEvery: 400,
  patience: 8,
};
