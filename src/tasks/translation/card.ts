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
  training: { command: string; recipe: Recipe; steps: number; epochs: number; hours: number; validation: { bleu: number } };
  decoding: { beam: number; lengthPenalty: number; maxPieces: number };
  metrics: { split: string; sources: number; bleu: number; chrf: number; signatures: string[]; command: string };
  limits: string[];
}
