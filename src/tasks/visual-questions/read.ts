import { CoAttentionTransformer, coAttentionSpecs } from "../../models/co-attention-transformer.ts";
import { CARD, isCount, type ModelFiles, ModelReader, VOCABULARY, WEIGHTS } from "../model-files.ts";
import type { DraftCard, VisualQuestionsCard } from "./card.ts";
import { QuestionVocabulary } from "./words.ts";

const OP = "loadAnswerer";
/** The largest picture and width that a card may ask for: they decide how much memory an answer takes. */
const MOST_PIXELS = 2 ** 20;
const MOST_UNITS = 4096;
const MOST_ANSWERS = 65_536;

/** A model and what it needs to read questions. */
export interface QuestionModel<Card extends DraftCard = DraftCard> {
  model: CoAttentionTransformer;
  vocabulary: QuestionVocabulary;
  card: Card;
}

/** What answering reads of a card. */
function checkCard(folder: ModelReader, card: VisualQuestionsCard): void {
  const { model, image, answers, labels, nouns, source, data } = card;
  const refuse = (got: string) => folder.damaged(CARD, got.slice(0, 200));
  const isNames = (list: unknown, most: number) =>
    Array.isArray(list) && list.length <= most && list.every((name) => typeof name === "string");
  const { positions, layers, width, heads, inner } = model;
  if (![positions, layers, width, heads, inner].every((n) => isCount(n, MOST_UNITS)))
    throw refuse(`model ${JSON.stringify(model)}`);
  const isImage =
    isCount(image.height, MOST_UNITS) &&
    isCount(image.width, MOST_UNITS) &&
    image.height * image.width <= MOST_PIXELS;
  if (!isImage) throw refuse(`image ${JSON.stringify(image)}`);
  if (source !== "scenes" && source !== "rows") throw refuse(`source ${JSON.stringify(source)}`);
  if (!isNames(answers, MOST_ANSWERS) || answers.length === 0)
    throw refuse(`answers ${JSON.stringify(answers)}`);
  for (const list of [labels, nouns])
    if (!isNames(list, MOST_UNITS)) throw refuse(`labels and nouns ${JSON.stringify(list)}`);
  folder.checkDataName(data);
}

/** Reads the files that `writeModelFolder` wrote. The backend must be ready. */
export function readModel(files: ModelFiles): QuestionModel<VisualQuestionsCard> {
  const folder = new ModelReader(OP, files, [WEIGHTS, VOCABULARY, CARD]);
  const card = folder.json<VisualQuestionsCard>(CARD, ["model", "image", "data"]);
  checkCard(folder, card);
  const { words } = folder.json<{ words: { list?: unknown } }>(VOCABULARY, ["words"]);
  const vocabulary = QuestionVocabulary.fromJSON(words.list);
  const config = { ...card.model, vocabulary: vocabulary.size, answers: card.answers.length };
  return {
    model: new CoAttentionTransformer(config, folder.weights(coAttentionSpecs(config))),
    vocabulary,
    card,
  };
}
