import { type CardData, cardData, firstParagraph } from "../card-data.ts";
import type { TrainingSpeed } from "../training-speed.ts";
import type { Bits } from "./evaluate.ts";
import type { LanguageModelRecipe } from "./recipe.ts";

/** Of a text in which at least `context` characters stand before each that is scored, but for the first. */
export interface Scores extends Bits {
  context: number;
}

/** What a reader must know of a trained model: the data and its licence, how it was made, how well it does. */
export interface LanguageModelCard {
  name: string;
  task: "language-model";
  description: string;
  /** The preset of `heed/models` and its options. */
  model: { preset: "llama" } & LanguageModelRecipe["model"];
  parameters: number;
  /** T, the characters that it reads back. */
  length: number;
  data: Omit<CardData, "changes">;
  training: {
    command: string;
    recipe: LanguageModelRecipe;
    steps: number;
    epochs: number;
    hours: number;
    validation: Scores;
  };
  metrics: Scores & { split: string; command: string };
  /** Measured on an idle machine, see `heed evaluate language-model --speed`. */
  speed?: TrainingSpeed;
  /** What it writes after a prompt, unchanged. */
  samples: { prompt: string; text: string; temperature: number; seed: number }[];
  limits: string[];
}

export type DraftCard = Omit<LanguageModelCard, "metrics" | "samples">;

/** The card of a model, up to its results. */
export function draftCard(of: {
  recipe: LanguageModelRecipe;
  parameters: number;
  command: string;
  /** sha256 of the text. */
  checksum: string;
}): DraftCard {
  const { recipe, parameters, command, checksum } = of;
  const { name, licence, attribution } = cardData(recipe.data, checksum, {
    noticeOf: firstParagraph,
    changesOf: () => "None.",
  });
  return {
    name: `language-model-${recipe.data.replace(/^tiny-/, "")}`,
    task: "language-model",
    description:
      "A decoder alone in the way of Llama (RMS norms, rotary positions, gated SiLU) that writes one character after " +
      "the other.",
    model: { preset: "llama", ...recipe.model },
    parameters,
    length: recipe.length,
    data: { name, licence, attribution },
    training: {
      command,
      recipe,
      steps: 0,
      epochs: 0,
      hours: 0,
      validation: { bits: 0, characters: 0, context: 0 },
    },
    limits: [
      "It knows the spelling, the names and the rhythm of the text that it was trained on, and nothing of the world: what " +
        "it writes looks like that text and means little.",
      `It was trained on windows of ${recipe.length} characters and is not claimed to read further back.`,
      "A character that the text does not have is refused.",
    ],
  };
}
