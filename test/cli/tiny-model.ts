import { trainBpe } from "../../src/data/bpe-train.ts";
import { useHeedBackend } from "../../src/host/select.ts";
import { DEFAULT_CONFIG } from "../../src/models/seq2seq/config.ts";
import { Seq2Seq } from "../../src/models/seq2seq/seq2seq.ts";
import type { TranslationCard } from "../../src/tasks/translation/card.ts";
import { writeModelFolder } from "../../src/tasks/translation/files.ts";

const SENTENCES = ["I am tired.", "Hello.", "Thank you.", "Where is the station?"];

/** A model folder that the command takes, with random weights: it translates to nonsense, at once. */
export async function writeTinyModel(folder: string): Promise<void> {
  await useHeedBackend();
  const bpe = trainBpe(SENTENCES, { vocabularySize: 40, minFrequency: 1 });
  const sizes = {
    sourceVocabulary: bpe.size,
    targetVocabulary: bpe.size,
    embedding: 8,
    encoder: 8,
    decoder: 16,
  };
  const { sourceVocabulary, targetVocabulary, ...config } = { ...DEFAULT_CONFIG, ...sizes, attention: 8 };
  const model = new Seq2Seq({ ...config, sourceVocabulary, targetVocabulary }, 1);
  const card = {
    name: "tiny",
    task: "translation",
    from: "en",
    to: "fr",
    description: "random weights",
    model: config,
    data: { name: "tiny", licence: "none", attribution: "none", changes: "none" },
    decoding: { beam: 2, lengthPenalty: 1, maxPieces: 20 },
  };
  writeModelFolder(folder, { model, source: bpe, target: bpe, card: card as unknown as TranslationCard });
  model.dispose();
}
