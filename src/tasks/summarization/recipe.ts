import {
  DEFAULT_POINTER_GENERATOR,
  type PointerGeneratorConfig,
} from "../../models/pointer-generator/config.ts";

/**
 * Everything that decides what a training run computes. The same recipe and data give the same model, bit for bit, on
 * one machine and kernel build, however often the run is stopped and with however many threads.
 */
export interface SummarizationRecipe {
  /** Name of the data set. */
  data: string;
  /** Which of several targets, "lite" or "full" of wiki-conciseness; "" where a data set has one. */
  kind: string;
  /** V, the most frequent words, the four special ones included. */
  vocabulary: number;
  model: Omit<PointerGeneratorConfig, "vocabulary">;
  seed: number;
  epochs: number;
  /** Tokens of both sides, padding included, in one shard of a batch. */
  shardTokens: number;
  /** Shards in one batch; they are computed at once where there are threads for them. */
  shards: number;
  /** Tokens of a source after which it is cut. */
  maxSource: number;
  /** Longest target of a training pair, in tokens; pairs with a longer one are left out. */
  maxTarget: number;
  learningRate: number;
  warmupSteps: number;
  clipNorm: number;
  /** The share of the steps after which the score reads the coverage and its loss counts: late, as in the paper. */
  coverageFrom: number;
  /** λ of the coverage loss. */
  coverageWeight: number;
  /** Steps between two looks at the validation split. */
  evaluateEvery: number;
  /** Looks without a better score before the run stops. */
  patience: number;
}

/** Abstracts of arXiv to their titles. */
export const DEFAULT_SUMMARIZATION_RECIPE: SummarizationRecipe = {
  data: "arxiv-titles",
  kind: "",
  vocabulary: 16_000,
  model: {
    ...DEFAULT_POINTER_GENERATOR,
    cell: "gru",
    embedding: 128,
    encoder: 160,
    decoder: 256,
    attention: 256,
    dropout: 0.2,
  },
  seed: 1,
  epochs: 12,
  shardTokens: 1600,
  shards: 2,
  maxSource: 80,
  maxTarget: 24,
  learningRate: 1e-3,
  warmupSteps: 300,
  clipNorm: 2,
  coverageFrom: 0.8,
  coverageWeight: 1,
  evaluateEvery: 500,
  patience: 8,
};
