import { type CardData, cardData, firstParagraph } from "../card-data.ts";
import type { Evaluation } from "./evaluate.ts";
import type { DetectionRecipe } from "./recipe.ts";

/** What a reader must know of a trained detector: the data and its licence, how it was made, how well it does. */
export interface DetectionCard {
  name: string;
  task: "detection";
  description: string;
  model: DetectionRecipe["model"];
  /** Names of the classes by their number. */
  labels: readonly string[];
  parameters: number;
  data: CardData;
  training: {
    command: string;
    recipe: DetectionRecipe;
    steps: number;
    epochs: number;
    hours: number;
    validation: { precision: number };
  };
  metrics: Omit<Evaluation, "seconds"> & { split: string; command: string };
  limits: string[];
}

/** What is known before training: the card without its results. */
export type DraftCard = Omit<DetectionCard, "metrics"> & { metrics?: DetectionCard["metrics"] };

/** The card of a detector, up to its results. */
export function draftCard(of: {
  recipe: DetectionRecipe;
  labels: readonly string[];
  parameters: number;
  /** `imagesChecksum` of the training images. */
  checksum: string;
  command: string;
}): DraftCard {
  const { recipe, labels, parameters, checksum, command } = of;
  const block = recipe.model.nonLocal > 0 ? ", a non-local block over them" : "";
  return {
    name: "detection",
    task: "detection",
    description: `Five convolutions that make 8 × 8 cells of a grey picture of 64 × 64 pixels${block}, and ${recipe.model.queries} object queries that read the cells.`,
    model: recipe.model,
    labels,
    parameters,
    data: cardData(recipe.data, checksum, {
      noticeOf: firstParagraph,
      changesOf: () => "Scenes are composed of resized images; the last twelfth was kept for validation.",
    }),
    training: { command, recipe, steps: 0, epochs: 0, hours: 0, validation: { precision: 0 } },
    limits: [
      "Knows scenes like those it was trained on: one to four grey items on black that do not overlap, each about two fifths of the picture wide. Of photographs it finds what looks like that, and much that is not there.",
      "Says one of its classes of whatever it finds; there is no class for other things.",
      "What a query looked at shows where it read; it is not an explanation of why it said a class.",
    ],
  };
}
