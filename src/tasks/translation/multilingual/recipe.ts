import type { TransformerConfig } from "../../../models/transformer/config.ts";
import type { TargetLanguage } from "../text/language.ts";

/** What a recipe says of the model; the rest is `modelConfig`'s. */
export type ModelSizes = Pick<
  TransformerConfig,
  "encoderLayers" | "decoderLayers" | "width" | "heads" | "inner" | "dropout"
>;

/**
 * Everything that decides what a training run computes. The same recipe and data give the same model, bit for bit, on one
 * machine and kernel build, however often the run is stopped and with however many threads.
 */
export interface MultilingualRecipe {
  /** Names of the data sets begin so; a language's tag follows. */
  data: string;
  languages: readonly TargetLanguage[];
  /** Pieces learnt, the four special ones included, placeholders and tags not. */
  vocabulary: number;
  model: ModelSizes;
  /** Folder of a model to begin with, its weights and its lexicon; "" begins with random weights. */
  start: string;
  /** The step that learning rates count from: how long the model to begin with has been trained. */
  startStep: number;
  seed: number;
  /** Passes over the data; a run that is done goes on when there are more. */
  epochs: number;
  /** Pieces of both sides, padding included, in one shard of a batch; a shard has one target language. */
  shardTokens: number;
  /** Shards in one batch; they are computed at once where there are threads for them. */
  shards: number;
  /** Share of rows whose number words become placeholders too. */
  wordNumbers: number;
  /** Share of people and places that become plain names. */
  blur: number;
  /** How often a row with a rare kind of placeholder comes again. */
  repeatRare: number;
  /** How often each of the everyday phrases comes in an epoch; 0 leaves them out. */
  phrases: number;
  /** Longest side of a training pair, in pieces; longer pairs are left out. */
  maxPieces: number;
  /** The highest rate; it falls with the inverse square root of the step. */
  learningRate: number;
  warmupSteps: number;
  beta2: number;
  smoothing: number;
  clipNorm: number;
  /** Decay of the running mean of the weights, which is what is evaluated and kept. */
  average: number;
  /** Steps between two looks at the validation splits. */
  evaluateEvery: number;
  /** Looks without a better score before the run stops. */
  patience: number;
}

/**
 * The recipe of the shipped model. Deep encoder, shallow decoder: an encoder runs once for a sentence, a decoder once for
 * each piece and hypothesis (Kasai et al. 2021, arxiv.org/abs/2006.10369).
 */
export const MULTILINGUAL_RECIPE: MultilingualRecipe = {
  data: "tatoeba-en",
  languages: ["fr", "de", "es"],
  vocabulary: 8000,
  model: { encoderLayers: 4, decoderLayers: 2, width: 256, heads: 4, inner: 512, dropout: 0.1 },
  start: "",
  startStep: 0,
  seed: 1,
  epochs: 16,
  shardTokens: 1800,
  shards: 2,
  wordNumbers: 0.5,
  blur: 0.2,
  repeatRare: 3,
  phrases: 8,
  maxPieces: 48,
  learningRate: 1.5e-3,
  warmupSteps: 800,
  beta2: 0.98,
  smoothing: 0.1,
  clipNorm: 1,
  average: 0.999,
  evaluateEvery: 500,
  patience: 20,
};
