import { Bpe, type BpeJson } from "../../data/bpe.ts";
import type { Seq2SeqConfig } from "../../models/seq2seq/config.ts";
import { parameterSpecs } from "../../models/seq2seq/parameters.ts";
import { Seq2Seq } from "../../models/seq2seq/seq2seq.ts";
import {
  CARD,
  isCount,
  isPenalty,
  type ModelFiles,
  ModelReader,
  VOCABULARY,
  WEIGHTS,
} from "../model-files.ts";
import type { DraftCard, TranslationCard } from "./card.ts";

const OP = "loadTranslator";
/** The widest beam and longest part that a card may ask for: both decide how much memory a sentence takes. */
const MOST_BEAM = 64;
const MOST_PIECES = 1024;
/** A language as `toLocaleUpperCase` takes it. */
const LANGUAGE = /^[a-z]{2,3}(?:-[A-Za-z\d]{2,8})*$/;

/** A model and what it needs to read and write text. */
export interface TranslationModel<Card extends DraftCard = DraftCard> {
  model: Seq2Seq;
  source: Bpe;
  target: Bpe;
  card: Card;
}

/**
 * How a card says that its model decodes. A beam of "5" would be compared as a number and counted as a text.
 *
 * @throws DataError DAMAGED
 */
export function checkDecoding(folder: ModelReader, decoding: TranslationCard["decoding"]): void {
  const { beam, lengthPenalty, maxPieces } = decoding;
  if (!(isCount(beam, MOST_BEAM) && isCount(maxPieces, MOST_PIECES) && isPenalty(lengthPenalty)))
    throw folder.damaged(CARD, `decoding ${JSON.stringify(decoding)}`.slice(0, 200));
}

/** Refuses what `toLocaleUpperCase` does not take as a language. @throws DataError DAMAGED */
export function checkLanguages(folder: ModelReader, languages: Readonly<Record<string, unknown>>): void {
  for (const [name, language] of Object.entries(languages))
    if (typeof language !== "string" || !LANGUAGE.test(language))
      throw folder.damaged(CARD, `${name} ${JSON.stringify(language)}`.slice(0, 200));
}

/** What translating reads of a card. */
function checkCard(folder: ModelReader, { decoding, from, to, data }: TranslationCard): void {
  checkDecoding(folder, decoding);
  checkLanguages(folder, { from, to });
  folder.checkDataName(data);
}

/** Reads the files that `writeModelFolder` wrote. The backend must be ready. */
export function readModel(files: ModelFiles): TranslationModel<TranslationCard> {
  const folder = new ModelReader(OP, files, [WEIGHTS, VOCABULARY, CARD]);
  const card = folder.json<TranslationCard>(CARD, ["model", "decoding", "data"]);
  checkCard(folder, card);
  const vocabulary = folder.json<{ source: BpeJson; target: BpeJson }>(VOCABULARY, ["source", "target"]);
  const source = Bpe.fromJSON(vocabulary.source);
  const target = Bpe.fromJSON(vocabulary.target);
  const config: Seq2SeqConfig = {
    ...card.model,
    sourceVocabulary: source.size,
    targetVocabulary: target.size,
  };
  return { model: new Seq2Seq(config, folder.weights(parameterSpecs(config))), source, target, card };
}
