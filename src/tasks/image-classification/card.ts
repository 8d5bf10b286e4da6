import { type CardData, cardData, firstParagraph } from "../card-data.ts";
import type { TrainingSpeed } from "../training-speed.ts";
import type { ClassifierConfig } from "./config.ts";
import type { Recipe } from "./recipe.ts";

/** What a reader must know of a trained model: the data and its licence, how it was made, how well it does. */
export interface ClassificationCard {
  name: string;
  task: "image-classification";
  description: string;
  model: ClassifierConfig;
  /** Names of the classes by their number. */
  labels: readonly string[];
  parameters: number;
  data: CardData;
  training: {
    command: string;
    recipe: Recipe;
    steps: number;
    epochs: number;
    hours: number;
    validation: { accuracy: number };
  };
  metrics: {
    split: string;
    images: number;
    accuracy: number;
    /** The share of each class that is found, by its number. */
    recalls: number[];
    command: string;
  };
  /** Measured on an idle machine. */
  speed?: TrainingSpeed;
  limits: string[];
}

/** What is known before training: the card without its results. */
export type DraftCard = Omit<ClassificationCard, "metrics"> & { metrics?: ClassificationCard["metrics"] };

/** The card of a classifier, up to its results. */
export function draftCard(of: {
  model: ClassifierConfig;
  labels: readonly string[];
  parameters: number;
  recipe: Recipe;
  /** `imagesChecksum` of the training images. */
  checksum: string;
  command: string;
}): DraftCard {
  const { height, width, patch } = of.model.image;
  return {
    name: "image-classification",
    task: "image-classification",
    description:
      `A Vision Transformer over the ${patch} × ${patch} patches of grey ${height} × ${width} images; ` +
      "its class token is classified.",
    model: of.model,
    labels: of.labels,
    parameters: of.parameters,
    data: cardData(of.recipe.data, of.checksum, {
      noticeOf: firstParagraph,
      changesOf: () => "None; the last twelfth of the training images was kept for validation.",
    }),
    training: {
      command: of.command,
      recipe: of.recipe,
      steps: 0,
      epochs: 0,
      hours: 0,
      validation: { accuracy: 0 },
    },
    limits: [
      `Knows images like those it was trained on: grey, ${height} × ${width}, one object in the middle, background 0. ` +
        "Photographs must be cut out and inverted first, and come out badly all the same.",
      "Says one of its classes with confidence of whatever it is shown; there is no class for none of them.",
      "Rollout shows where the patches were mixed; it is not an explanation of why a class was chosen.",
    ],
  };
}
