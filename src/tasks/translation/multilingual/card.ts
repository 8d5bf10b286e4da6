import { dataOf } from "../card.ts";
import type { TargetLanguage } from "../text/language.ts";
import type { Calibration, ReliabilityBin } from "./confidence.ts";
import type { AlignmentHeads } from "./decode.ts";
import type { ModelSizes, MultilingualRecipe } from "./recipe.ts";

export interface LanguageMetrics {
  split: string;
  sources: number;
  bleu: number;
  chrf: number;
  exact: number;
  signatures: string[];
  /** What makes these figures again. */
  command: string;
}

/** What a reader must know of a trained model: the data and its licence, how it was made, how well it does. */
export interface MultilingualCard {
  name: string;
  task: "translation";
  from: "en";
  languages: TargetLanguage[];
  description: string;
  model: ModelSizes;
  parameters: number;
  data: { name: string; licence: string; attribution: string; changes: string }[];
  training: {
    command: string;
    recipe: MultilingualRecipe;
    steps: number;
    epochs: number;
    hours: number;
    /** What a reader should know of how the run went. */
    note?: string;
    /** Of the model that the run began with. */
    before?: MultilingualCard["training"];
  };
  decoding: { beam: number; lengthPenalty: number; maxPieces: number };
  /** The heads whose weights are shown as the alignment. */
  alignment: AlignmentHeads;
  /** How scores become the figure of confidence; absent in a model that was never calibrated. */
  confidence?: Calibration;
  /** How true the figures of confidence are: a translation counts as good from a chrF of `goodChrf` to a reference. */
  reliability?: { goodChrf: number; split: string; bins: ReliabilityBin[]; error: number };
  metrics: Partial<Record<TargetLanguage, LanguageMetrics>>;
  limits: string[];
}

/** The card of a model, up to its results. */
export function draftCard(of: {
  recipe: MultilingualRecipe;
  parameters: number;
  /** `rowsChecksum` of each language's training rows. */
  checksums: Readonly<Record<string, string>>;
  command: string;
  decoding: MultilingualCard["decoding"];
  alignment: AlignmentHeads;
}): MultilingualCard {
  const { recipe, parameters, checksums, command, decoding, alignment } = of;
  const { encoderLayers, decoderLayers, width } = recipe.model;
  return {
    name: "translation-en",
    task: "translation",
    from: "en",
    languages: [...recipe.languages],
    description:
      `Short, everyday sentences: one Transformer of ${encoderLayers} encoder and ${decoderLayers} decoder layers, ` +
      `${width} wide, for all target languages, over byte-pair pieces; values and names go through as placeholders.`,
    model: recipe.model,
    parameters,
    data: recipe.languages.map((to) => dataOf(`${recipe.data}-${to}`, checksums[to]!)),
    training: { command, recipe, steps: 0, epochs: 0, hours: 0 },
    decoding,
    alignment,
    metrics: {},
    limits: [
      "Trained on sentences of a few words about daily life; long, formal or technical text comes out badly.",
      "Register (tu/vous, du/Sie, tú/usted) and gender follow the training text, not the situation.",
      "Attention weights show where the decoder looked; they are not an explanation of why it chose a word.",
    ],
  };
}
