import { pointerGeneratorParameters } from "../../models/pointer-generator/parameters.ts";
import { PointerGenerator } from "../../models/pointer-generator/pointer-generator.ts";
import {
  CARD,
  isCount,
  isPenalty,
  type ModelFiles,
  ModelReader,
  VOCABULARY,
  WEIGHTS,
} from "../model-files.ts";
import { readWords, type WordVocabulary } from "../words.ts";
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

/** Reads the files that `writeModelFolder` wrote. The backend must be ready. */
export function readModel(files: ModelFiles): SummarizationModel<SummarizationCard> {
  const folder = new ModelReader(OP, files, [WEIGHTS, VOCABULARY, CARD]);
  const card = folder.json<SummarizationCard>(CARD, ["model", "decoding", "data"]);
  checkDecoding(folder, card.decoding);
  folder.checkDataName(card.data);
  const vocabulary = readWords(folder);
  const config = { ...card.model, vocabulary: vocabulary.size };
  const model = new PointerGenerator(config, folder.weights(pointerGeneratorParameters(config)));
  return { model, vocabulary, card };
}

function checkDecoding(folder: ModelReader, decoding: SummarizationCard["decoding"]): void {
  const { beam, lengthPenalty, blockTrigrams, maxSource, maxLength } = decoding;
  const areCounts =
    isCount(beam, MOST_BEAM) && isCount(maxSource, MOST_TOKENS) && isCount(maxLength, MOST_TOKENS);
  if (areCounts && isPenalty(lengthPenalty) && typeof blockTrigrams === "boolean") return;
  throw folder.damaged(CARD, `decoding ${JSON.stringify(decoding)}`.slice(0, 200));
}
