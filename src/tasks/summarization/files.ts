import { createHash } from "node:crypto";
import { pointerGeneratorParameters } from "../../models/pointer-generator/parameters.ts";
import { PointerGenerator } from "../../models/pointer-generator/pointer-generator.ts";
import {
  CARD,
  cardFile,
  isCount,
  ModelFolder,
  VOCABULARY,
  WEIGHTS,
  weightsFile,
  writeFiles,
} from "../model-folder.ts";
import { type WordsJson, WordVocabulary } from "../words.ts";
import type { DraftCard, SummarizationCard } from "./card.ts";

const OP = "loadSummarizer";
/** The widest beam and the most tokens that a card may ask for: both decide how much memory a text takes. */
const MOST_BEAM = 64;
const MOST_TOKENS = 4096;

/** A model and what it needs to read and write text. */
export interface SummarizationModel<Card extends DraftCard = DraftCard> {
  model: PointerGenerator;
  vocabulary: WordVocabulary;
  card: Card;
}

/** Writes a model folder: float16 weights, the words, the card. */
export function writeModelFolder(
  dir: string,
  { model, vocabulary, card }: SummarizationModel<SummarizationCard>,
): void {
  writeFiles(dir, {
    [WEIGHTS]: weightsFile(model.parameters.variables, { model: "pointer-generator" }),
    [VOCABULARY]: `${JSON.stringify({ words: vocabulary.toJSON() })}\n`,
    [CARD]: cardFile(card),
  });
}

/** Reads a folder that `writeModelFolder` wrote. The backend must be ready. */
export function readModelFolder(dir: string): SummarizationModel<SummarizationCard> {
  const folder = new ModelFolder(OP, dir, [WEIGHTS, VOCABULARY, CARD]);
  const card = folder.json<SummarizationCard>(CARD, ["model", "decoding", "data"]);
  checkDecoding(folder, card.decoding);
  folder.checkDataName(card.data);
  const { words } = folder.json<{ words: WordsJson }>(VOCABULARY, ["words"]);
  const vocabulary = WordVocabulary.fromJSON(words);
  const config = { ...card.model, vocabulary: vocabulary.size };
  const model = new PointerGenerator(config, folder.weights(pointerGeneratorParameters(config)));
  return { model, vocabulary, card };
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
  const { words } = folder.json<{ words: WordsJson }>(VOCABULARY, ["words"]);
  const vocabulary = WordVocabulary.fromJSON(words);
  const values = folder.weights(pointerGeneratorParameters({ ...model, vocabulary: vocabulary.size }));
  const hash = createHash("sha256").update(folder.read(VOCABULARY)).update(folder.read(WEIGHTS));
  return { vocabulary, values, checksum: hash.digest("hex") };
}

function checkDecoding(folder: ModelFolder, decoding: SummarizationCard["decoding"]): void {
  const { beam, lengthPenalty, blockTrigrams, maxSource, maxLength } = decoding;
  const isPenalty = Number.isFinite(lengthPenalty) && lengthPenalty >= 0;
  const areCounts =
    isCount(beam, MOST_BEAM) && isCount(maxSource, MOST_TOKENS) && isCount(maxLength, MOST_TOKENS);
  if (areCounts && isPenalty && typeof blockTrigrams === "boolean") return;
  throw folder.damaged(CARD, `decoding ${JSON.stringify(decoding)}`.slice(0, 200));
}
