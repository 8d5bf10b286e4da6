import { fullConfig } from "../../../models/transformer/config.ts";
import { transformerParameters } from "../../../models/transformer/parameters.ts";
import { Transformer } from "../../../models/transformer/transformer.ts";
import { CARD, type ModelFiles, ModelReader, VOCABULARY, WEIGHTS } from "../../model-files.ts";
import { checkDecoding, checkLanguages } from "../read.ts";
import type { TargetLanguage } from "../text/language.ts";
import type { MultilingualCard } from "./card.ts";
import { readLexicon } from "./lexicon.ts";
import { modelConfig } from "./model.ts";
import type { MultilingualModel } from "./translator.ts";

const OP = "loadTranslator";

/**
 * Reads the files that `writeMultilingualFolder` wrote. The backend must be ready.
 *
 * @throws FileError MISSING · DataError DAMAGED, MISMATCH, FORMAT, UNSUPPORTED
 */
export function readMultilingualModel(files: ModelFiles): MultilingualModel {
  const folder = new ModelReader(OP, files, [WEIGHTS, VOCABULARY, CARD]);
  const card = folder.json<MultilingualCard>(CARD, ["model", "decoding", "alignment", "training"]);
  checkCard(folder, card);
  const lexicon = readLexicon(folder);
  const known: readonly TargetLanguage[] = lexicon.pieces.languages;
  const missing = card.languages.find((to) => !known.includes(to));
  if (missing !== undefined)
    throw folder.damaged(CARD, `a language ${JSON.stringify(missing)} without outputs`);
  const config = modelConfig(card.model, lexicon.pieces.size);
  const specs = transformerParameters(fullConfig(config));
  return { model: new Transformer(config, folder.weights(specs)), card, ...lexicon };
}

/** What translating reads of a card, besides what says how the model is made. */
function checkCard(folder: ModelReader, card: MultilingualCard): void {
  const { decoding, alignment, model, from, languages, confidence, training } = card;
  checkDecoding(folder, decoding);
  checkLanguages(folder, { from });
  folder.checkDataName({ name: training.recipe?.data });
  const isAmong = (n: unknown, count: number) =>
    Number.isSafeInteger(n) && (n as number) >= 0 && (n as number) < count;
  const { layer, heads } = alignment;
  const areHeads = Array.isArray(heads) && heads.length > 0 && heads.every((h) => isAmong(h, model.heads));
  if (!(isAmong(layer, model.decoderLayers) && areHeads))
    throw folder.damaged(CARD, `alignment ${JSON.stringify(alignment)}`.slice(0, 200));
  if (!(Array.isArray(languages) && languages.length > 0))
    throw folder.damaged(CARD, `languages ${JSON.stringify(languages)}`.slice(0, 200));
  const isCalibrated = (given: NonNullable<typeof confidence>) =>
    Array.isArray(given.weights) && [given.bias, ...given.weights].every((n) => Number.isFinite(n));
  if (confidence && !isCalibrated(confidence))
    throw folder.damaged(CARD, `confidence ${JSON.stringify(confidence)}`.slice(0, 200));
}
