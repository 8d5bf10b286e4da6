import type { GatedBandClassifierConfig } from "../../models/gated/index.ts";
import type { CardData } from "../card-data.ts";
import type { Training } from "../compared-training.ts";
import type { Evaluation } from "./evaluate.ts";
import { COMPOSED, type FormantRecipe } from "./recipe.ts";

/** What a reader must know of a trained model: the data and its licence, how it was made, how well it does. */
export interface FormantCard {
  name: string;
  task: "formants";
  description: string;
  model: GatedBandClassifierConfig;
  /** Of the model and of its baseline without a gate together, as the file has them, and of the baseline alone. */
  parameters: number;
  baselineParameters: number;
  data: CardData;
  /** Of the model, and of its baseline. */
  training: Training & { command: string; recipe: FormantRecipe; baseline: Training; note?: string };
  metrics: Omit<Evaluation, "seconds"> & { split: "test"; command: string };
  limits: string[];
}

/** What is known before training: the card without its results. */
export type DraftCard = Omit<FormantCard, "metrics"> & { metrics?: FormantCard["metrics"] };

/** The card of a model, up to its results. */
export function draftCard(
  of: Pick<FormantCard, "model" | "parameters" | "baselineParameters" | "training">,
): DraftCard {
  return {
    name: "formants",
    task: "formants",
    description:
      "Hears which vowel is spoken in band-limited noise: a gate over bands of frequency, attention over time; beside it the " +
      "same model without the gate.",
    ...of,
    data: {
      name: COMPOSED,
      licence: "MIT",
      attribution:
        "Composed by heed from the recipe's seed, by the mean formants of Peterson & Barney 1952, table II.",
      changes: "None.",
    },
    limits: [
      "Knows ten steady vowels as a synthesiser makes them: of speech it has heard nothing.",
      "Says one of its vowels of whatever it is given; there is no class for none of them.",
      "Noise must be there before the voice: what is loud from the first to the last frame counts as noise.",
    ],
  };
}
