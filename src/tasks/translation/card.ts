import type { Seq2SeqConfig } from "../../models/seq2seq/config.ts";
import type { Recipe } from "./recipe.ts";

/** What a reader must know of a trained model: the data and its licence, how it was made, how well it does. */
export interface TranslationCard {
  name: string;
  task: "translation";
  from: string;
  to: string;
  description: string;
  model: Omit<Seq2SeqConfig, "sourceVocabulary" | "targetVocabulary">;
  parameters: number;
  data: { name: string; licence: string; attribution: string; changes: string };
  training: {
    command: string;
    recipe: Recipe;
    steps: number;
    epochs: number;
    hours: number;
    validation: { bleu: number };
  };
  decoding: { beam: number; lengthPenalty: number; maxPieces: number };
  metrics: {
    split: string;
    sources: number;
    bleu: number;
    chrf: number;
    signatures: string[];
    command: string;
  };
  limits: string[];
}

const TATOEBA = {
  name: "tatoeba-en-fr",
  licence: "CC BY 2.0 FR",
  attribution:
    "Sentences by the contributors of Tatoeba (https://tatoeba.org), selected and paired by www.manythings.org/anki.",
  changes: "Normalised, reordered and split as `heed data fetch tatoeba-en-fr` does.",
};

/** What we know of a data set; of a user's own, its name. */
function dataOf(name: string): TranslationCard["data"] {
  if (name === TATOEBA.name) return TATOEBA;
  return { name, licence: "not stated", attribution: "not stated", changes: "none" };
}

/** What is known before training: the card without its results. */
export type DraftCard = Omit<TranslationCard, "metrics"> & { metrics?: TranslationCard["metrics"] };

/** The card of an English–French model, up to its results. */
export function draftCard(of: {
  model: TranslationCard["model"];
  parameters: number;
  recipe: Recipe;
  command: string;
  decoding: TranslationCard["decoding"];
}): DraftCard {
  return {
    name: "translation-en-fr",
    task: "translation",
    from: "en",
    to: "fr",
    description:
      "Short, everyday English sentences to French: a bidirectional GRU encoder and a GRU decoder with Luong's " +
      "general attention and input feeding, over byte-pair pieces.",
    model: of.model,
    parameters: of.parameters,
    data: dataOf(of.recipe.data),
    training: {
      command: of.command,
      recipe: of.recipe,
      steps: 0,
      epochs: 0,
      hours: 0,
      validation: { bleu: 0 },
    },
    decoding: of.decoding,
    limits: [
      "Trained on sentences of a few words about daily life; long, formal or technical text comes out badly.",
      "Register (tu/vous) and gender follow the training text, not the situation.",
      "Attention weights show where the decoder looked; they are not an explanation of why it chose a word.",
    ],
  };
}
