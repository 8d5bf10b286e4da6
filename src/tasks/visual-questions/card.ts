import { type CardData, cardData, firstParagraph } from "../card-data.ts";
import type { TrainingSpeed } from "../training-speed.ts";
import type { QuestionCorpus } from "./corpus.ts";
import type { Evaluation } from "./evaluate.ts";
import { pluralOf } from "./questions.ts";
import type { VisualQuestionsRecipe } from "./recipe.ts";

/** What a reader must know of a trained model: the data and its licence, how it was made, how well it does. */
export interface VisualQuestionsCard {
  name: string;
  task: "visual-questions";
  description: string;
  /** Whether it learnt from scenes that were composed, or from rows that people wrote. */
  source: "scenes" | "rows";
  /** Pixels that pictures are made to have. */
  image: { height: number; width: number };
  model: VisualQuestionsRecipe["model"];
  /** Every answer, by its number. */
  answers: readonly string[];
  /** Of scenes: the items, and the words of which a question must have one. */
  labels: readonly string[];
  nouns: readonly string[];
  parameters: number;
  data: CardData;
  training: {
    command: string;
    recipe: VisualQuestionsRecipe;
    steps: number;
    epochs: number;
    hours: number;
    validation: { accuracy: number };
  };
  metrics: Omit<Evaluation, "seconds"> & { split: string; command: string };
  /** Measured on an idle machine. */
  speed?: TrainingSpeed;
  limits: string[];
}

/** What is known before training: the card without its results. */
export type DraftCard = Omit<VisualQuestionsCard, "metrics"> & { metrics?: VisualQuestionsCard["metrics"] };

/** The card of a model, up to its results. */
export function draftCard(of: {
  recipe: VisualQuestionsRecipe;
  corpus: QuestionCorpus;
  parameters: number;
  command: string;
}): DraftCard {
  const { recipe, corpus, parameters, command } = of;
  const { source, height, width, positions, answers, nouns, checksum } = corpus;
  const isScenes = source === "scenes";
  return {
    name: "visual-questions",
    task: "visual-questions",
    description:
      "Words of a question and cells of a picture read each other (co-attention), and an answer is chosen from a list.",
    source,
    image: { height, width },
    model: { ...recipe.model, positions },
    answers,
    labels: nouns.filter((noun) => nouns.includes(pluralOf(noun))),
    nouns,
    parameters,
    data: cardData(recipe.data, checksum, {
      noticeOf: firstParagraph,
      changesOf: () => "Scenes are composed of resized images; the last twelfth was kept for validation.",
    }),
    training: { command, recipe, steps: 0, epochs: 0, hours: 0, validation: { accuracy: 0 } },
    limits: [
      ...(isScenes ? SCENE_LIMITS : ROW_LIMITS),
      "Always gives one of its answers, of whatever it is shown; a low probability is the only sign of doubt.",
      "Its words and cells show what was looked at; they are not an explanation of why an answer was chosen.",
    ],
  };
}

const SCENE_LIMITS = [
  "Knows grey items of its classes on black, 22 to 28 pixels large, one to four in a picture of 64 × 64. Photographs must be " +
    "cut out, and come out badly all the same.",
  "Knows the questions of its generator: what lies left of, right of, above or below an item, whether one is there, how many, " +
    "whether one lies so to another, what a single item is. Other wordings are guesses.",
];

const ROW_LIMITS = [
  "Knows pictures and questions like those it was trained on; what it does not know well it guesses.",
];
