import { type CardData, cardData, firstParagraph } from "../card-data.ts";
import type { TrainingSpeed } from "../training-speed.ts";
import type { Ablations, Evaluation } from "./evaluate.ts";
import type { SummarizationRecipe } from "./recipe.ts";

/** What a reader must know of a trained model: the data and its licence, how it was made, how well it does. */
export interface SummarizationCard {
  /** The folder's. */
  name: string;
  task: "summarization";
  description: string;
  model: SummarizationRecipe["model"];
  parameters: number;
  data: CardData;
  training: {
    command: string;
    recipe: SummarizationRecipe;
    steps: number;
    epochs: number;
    hours: number;
    /** Of the training rows: how many sources were cut, and how many rows were left out. */
    cut: number;
    leftOut: number;
    validation: { rougeL: number };
  };
  decoding: {
    beam: number;
    lengthPenalty: number;
    blockTrigrams: boolean;
    maxSource: number;
    maxLength: number;
    /** Words of the baseline, which the validation split chose. */
    leadWords: number;
  };
  metrics: Omit<Evaluation, "seconds"> & { split: string; command: string };
  /** Of the same split with `--no-coverage`, and with `--no-pointing`. */
  without: Ablations;
  /** Measured on an idle machine. */
  speed?: TrainingSpeed;
  limits: string[];
}

/** What is known before training: the card without its results. */
export type DraftCard = Omit<SummarizationCard, "metrics" | "without"> &
  Partial<Pick<SummarizationCard, "metrics" | "without">>;

/** The card of a model, up to its results. */
export function draftCard(of: {
  recipe: SummarizationRecipe;
  parameters: number;
  /** `rowsChecksum` of the training rows. */
  checksum: string;
  command: string;
  cut: number;
  leftOut: number;
  decoding: SummarizationCard["decoding"];
}): DraftCard {
  const { recipe, parameters, checksum, command, cut, leftOut, decoding } = of;
  const { cell, pointer, coverage } = recipe.model;
  const parts = [...(pointer ? ["a pointer"] : []), ...(coverage ? ["coverage"] : [])];
  const kind = cell.toUpperCase();
  return {
    name: `summarization-${recipe.data}`,
    task: "summarization",
    description:
      `A bidirectional ${kind} encoder and a ${kind} decoder with additive attention` +
      `${parts.length > 0 ? `, ${parts.join(" and ")}` : ""}, over words.`,
    model: recipe.model,
    parameters,
    data: cardData(recipe.data, checksum, {
      noticeOf: firstParagraph,
      changesOf: (known) => `Normalised and split as \`heed data fetch ${known}\` does.`,
    }),
    training: { command, recipe, steps: 0, epochs: 0, hours: 0, cut, leftOut, validation: { rougeL: 0 } },
    decoding,
    limits: [
      `Of a text the first ${recipe.maxSource} tokens are read.`,
      "It learnt one kind of text, and sums others up badly.",
      "It knows words in lower case; capitals are those of the text.",
      "It puts words of the text together; it does not know whether what it says is so.",
      "p_gen and coverage show how a word came about; they are not an explanation of why it was chosen.",
    ],
  };
}
