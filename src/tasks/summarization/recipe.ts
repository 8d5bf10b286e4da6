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
  /** The trained model that a run begins with, by its folder or the name of one that ships, with its words; "" begins anew. */
  start: string;
  /** V, the most frequent words, the four special ones included; of a model that a run begins with its own. */
  vocabulary: number;
  model: Omit<PointerGeneratorConfig, "vocabulary">;
  seed: number;
  epochs: number;
  /** Tokens of both sides, padding included, in one shard of a batch. */
  shardTokens: number;
  /** Shards in one batch; they are computed at once where there are threads for them. */
  shards: number;
  /** The share of the words of source and target that a second copy of each pair hides, so that they are copied: `hiddenCopies`. */
  hide: number;
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

/**
 * Abstracts of arXiv to their titles. The model that ships was made in two runs with these sizes, whose recipes its card has; more
 * than three passes over 17,000 abstracts made it worse with a dropout of 0.25, so that one run with more of it is the default.
 */
export const DEFAULT_SUMMARIZATION_RECIPE: SummarizationRecipe = {
  data: "arxiv-titles",
  kind: "",
  start: "",
  vocabulary: 6000,
  model: {
    ...DEFAULT_POINTER_GENERATOR,
    cell: "gru",
    embedding: 128,
    encoder: 112,
    decoder: 160,
    attention: 80,
    dropout: 0.4,
  },
  seed: 1,
  epochs: 5,
  shardTokens: 3400,
  shards: 1,
  hide: 0.3,
  maxSource: 144,
  maxTarget: 18,
  learningRate: 2.5e-3,
  warmupSteps: 200,
  clipNorm: 2,
  coverageFrom: 0.6,
  coverageWeight: 0.3,
  evaluateEvery: 500,
  patience: 8,
};
