import type { Seq2SeqConfig } from "../../models/seq2seq/config.ts";
import { type CardData, cardData } from "../card-data.ts";
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
  data: CardData;
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

/** What we know of the rows that a model learns from. */
export function dataOf(name: string, checksum: string): CardData {
  return cardData(name, checksum, {
    noticeOf: (attribution) =>
      attribution.split("\n").find((line) => line.startsWith("Sentences by")) ?? attribution,
    changesOf: (known) => `Normalised, reordered and split as \`heed data fetch ${known}\` does.`,
  });
}

const STYLE = { luong: "Luong", bahdanau: "Bahdanau" } as const;

function describeModel({ cell, style, score, inputFeeding }: TranslationCard["model"]): string {
  const attention = score === "none" ? "no attention" : `${score} attention after ${STYLE[style]}`;
  const feeding = style === "luong" && inputFeeding ? " and input feeding" : "";
  const kind = cell.toUpperCase();
  return (
    `Short, everyday sentences: a bidirectional ${kind} encoder and a ${kind} decoder with ${attention}${feeding}, ` +
    "over byte-pair pieces."
  );
}

/** What is known before training: the card without its results. */
export type DraftCard = Omit<TranslationCard, "metrics"> & { metrics?: TranslationCard["metrics"] };

/** The card of an English–French model, up to its results. */
export function draftCard(of: {
  model: TranslationCard["model"];
  parameters: number;
  recipe: Recipe;
  /** `rowsChecksum` of the training rows. */
  checksum: string;
  command: string;
  decoding: TranslationCard["decoding"];
}): DraftCard {
  return {
    name: "translation-en-fr",
    task: "translation",
    from: "en",
    to: "fr",
    description: describeModel(of.model),
    model: of.model,
    parameters: of.parameters,
    data: dataOf(of.recipe.data, of.checksum),
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
