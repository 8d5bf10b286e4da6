import { createHash } from "node:crypto";
import { useHeedBackend } from "../../host/select.ts";
import { pointerGeneratorParameters } from "../../models/pointer-generator/parameters.ts";
import {
  CARD,
  cardFile,
  filesOfFolder,
  ModelFolder,
  shippedModel,
  VOCABULARY,
  WEIGHTS,
  weightsFile,
  writeFiles,
} from "../model-folder.ts";
import { readWords, type WordVocabulary, wordsFile } from "../words.ts";
import type { SummarizationCard } from "./card.ts";
import { readModel, type SummarizationModel } from "./read.ts";
import { Summarizer } from "./summarizer.ts";

/** Writes a model folder: float16 weights, the words, the card. */
export function writeModelFolder(
  dir: string,
  { model, vocabulary, card }: SummarizationModel<SummarizationCard>,
): void {
  writeFiles(dir, {
    [WEIGHTS]: weightsFile(model.parameters.variables, { model: "pointer-generator" }),
    [VOCABULARY]: wordsFile(vocabulary),
    [CARD]: cardFile(card),
  });
}

/** Reads a folder that `writeModelFolder` wrote. The backend must be ready. */
export function readModelFolder(dir: string): SummarizationModel<SummarizationCard> {
  return readModel(filesOfFolder(dir));
}

/** A trained model that another one begins with. */
export interface StartModel {
  vocabulary: WordVocabulary;
  values: Record<string, Float32Array>;
  /** SHA-256 of its words and values. */
  checksum: string;
}

/**
 * The words and values of a folder that `writeModelFolder` wrote, for a model of the given configuration.
 *
 * @throws FileError MISSING · DataError DAMAGED, FORMAT, MISMATCH where the configuration has other parameters
 */
export function readStart(dir: string, model: SummarizationCard["model"]): StartModel {
  const folder = new ModelFolder("heed train summarization", dir, [WEIGHTS, VOCABULARY]);
  const vocabulary = readWords(folder);
  const values = folder.weights(pointerGeneratorParameters({ ...model, vocabulary: vocabulary.size }));
  const hash = createHash("sha256").update(folder.read(VOCABULARY)).update(folder.read(WEIGHTS));
  return { vocabulary, values, checksum: hash.digest("hex") };
}

/** The model that sums up where none is named: abstracts of papers to their titles. */
export const DEFAULT_SUMMARIZER = "summarization-arxiv";

/**
 * Loads a summarizer.
 *
 * @param place a folder, or the name of a model that ships with heed
 * @throws FileError MISSING · DataError DAMAGED, MISMATCH, FORMAT
 */
export async function loadSummarizer(place: string = DEFAULT_SUMMARIZER): Promise<Summarizer> {
  await useHeedBackend();
  return new Summarizer(readModelFolder(shippedModel(place, "loadSummarizer")));
}
