import { type CardData, cardData, firstParagraph } from "../card-data.ts";
import type { Training } from "../compared-training.ts";
import type { Evaluation } from "./evaluate.ts";
import type { TrackingRecipe } from "./recipe.ts";

/** What a reader must know of a trained model: the data and its licence, how it was made, how well it does. */
export interface TrackingCard {
  name: string;
  task: "tracking";
  description: string;
  model: TrackingRecipe["model"];
  /** Of the tracker and of its baseline together, as the file has them, and of the baseline alone. */
  parameters: number;
  baselineParameters: number;
  data: CardData;
  /** Of the model, and of its baseline. */
  training: Training & { command: string; recipe: TrackingRecipe; baseline: Training };
  metrics: Omit<Evaluation, "seconds"> & { split: "test"; command: string };
  /** The same of videos of drawn digits, which need no data. */
  drawn: Omit<Evaluation, "seconds"> & { command: string };
  limits: string[];
}

/** What is known before training: the card without its results. */
export type DraftCard = Omit<TrackingCard, "metrics" | "drawn"> &
  Partial<Pick<TrackingCard, "metrics" | "drawn">>;

/** The card of a tracker, up to its results. */
export function draftCard(
  of: Pick<TrackingCard, "parameters" | "baselineParameters" | "training"> & {
    /** `imagesChecksum` of the training images. */ checksum: string;
  },
): DraftCard {
  const { checksum, parameters, baselineParameters, training } = of;
  const { recipe } = training;
  return {
    name: "tracking",
    task: "tracking",
    description:
      "Follows a digit among others through Gaussian glimpses, with a prior that what moves keeps its speed; beside it the " +
      "same tracker without the prior.",
    model: recipe.model,
    parameters,
    baselineParameters,
    data: cardData(recipe.data, checksum, {
      noticeOf: firstParagraph,
      changesOf: () => "Digits cut out, made smaller, and moved through one another in front of black.",
    }),
    training,
    limits: [
      "Follows light things in front of black that keep their size and move by up to a third of it in a frame; it was never " +
        "shown anything but digits.",
      "The first box must be given: it follows, and does not search.",
      "What changes its speed while it is hidden is lost.",
    ],
  };
}
