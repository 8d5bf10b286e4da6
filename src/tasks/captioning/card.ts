import { type CardData, cardData, firstParagraph } from "../card-data.ts";
import type { TrainingSpeed } from "../training-speed.ts";
import type { Evaluation } from "./evaluate.ts";
import type { CaptioningRecipe } from "./recipe.ts";

/** How a model was made. */
export interface CaptioningCardTraining {
  command: string;
  recipe: CaptioningRecipe;
  steps: number;
  epochs: number;
  hours: number;
  validation: { exact: number };
  /** Of the model that it began with. */
  before?: CaptioningCardTraining;
}

/** What a reader must know of a trained model: the data and its licence, how it was made, how well it does. */
export interface CaptioningCard {
  name: string;
  task: "captioning";
  description: string;
  model: CaptioningRecipe["model"];
  /** The names of the items that captions have, in the order of their numbers. */
  labels: readonly string[];
  parameters: number;
  data: CardData;
  training: CaptioningCardTraining;
  decoding: { beam: number; lengthPenalty: number; maxLength: number };
  metrics: Omit<Evaluation, "seconds"> & { split: string; command: string };
  /** Measured on an idle machine. */
  speed?: TrainingSpeed;
  limits: string[];
}

/** What is known before training: the card without its results. */
export type DraftCard = Omit<CaptioningCard, "metrics"> & { metrics?: CaptioningCard["metrics"] };

/** Every caption is shorter than this. */
const MOST_WORDS = 20;

/** The card of a model, up to its results. */
export function draftCard(of: {
  recipe: CaptioningRecipe;
  labels: readonly string[];
  parameters: number;
  /** `imagesChecksum` of the training images. */
  checksum: string;
  command: string;
}): DraftCard {
  const { recipe, labels, parameters, checksum, command } = of;
  return {
    name: "captioning",
    task: "captioning",
    description:
      "Show, Attend and Tell: an LSTM that looks at the 8 × 8 cells of a convolutional grid over a grey picture of " +
      `64 × 64 pixels, by ${recipe.model.kind} attention, for each word of its caption.`,
    model: recipe.model,
    labels,
    parameters,
    data: cardData(recipe.data, checksum, {
      noticeOf: firstParagraph,
      changesOf: () => "Scenes are composed of resized images; the last twelfth was kept for validation.",
    }),
    training: { command, recipe, steps: 0, epochs: 0, hours: 0, validation: { exact: 0 } },
    decoding: { beam: 3, lengthPenalty: 1, maxLength: MOST_WORDS },
    limits: [
      "Knows scenes like those it was trained on: one to four grey items on black that do not overlap, each about two " +
        "fifths of the picture wide. Of photographs it says a caption of such items all the same.",
      `Has words for ${new Intl.ListFormat("en-GB").format(labels)}, "left of" and "above", and for nothing else.`,
      "The map of a word shows where it was read; it is not an explanation of why the word was chosen.",
    ],
  };
}
