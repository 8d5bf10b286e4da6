import { type FullConfig, fullConfig } from "../../models/transformer/config.ts";
import { transformerParameters } from "../../models/transformer/parameters.ts";
import { albert } from "../../models/transformer/presets/albert.ts";
import { Transformer } from "../../models/transformer/transformer.ts";
import { CARD, isCount, type ModelFiles, ModelReader, VOCABULARY, WEIGHTS } from "../model-files.ts";
import type { AtomMappingCard, MapperConfig } from "./card.ts";
import { SmilesVocabulary } from "./tokens.ts";

const OP = "loadAtomMapper";
/** The largest sizes that a card may ask for: they decide how much memory a reaction takes. */
const MOST_UNITS = 4096;

/** A model with what it reads by, and its card. */
export interface AtomMappingModel {
  model: Transformer;
  vocabulary: SmilesVocabulary;
  card: AtomMappingCard;
}

/** The configuration up to the layer that maps: what comes after it is not computed. */
export function mapperConfig(model: MapperConfig, vocabulary: number, layers: number): FullConfig {
  const { epsilon, ...sizes } = model;
  return fullConfig(
    albert({
      ...sizes,
      epsilon,
      layers,
      vocabulary,
      activation: "gelu",
      dropout: 0,
      head: false,
      pooler: false,
    }),
  );
}

/** What mapping reads of a card. */
function checkCard(folder: ModelReader, { model, mapping, data }: AtomMappingCard): void {
  const refuse = (name: string, value: unknown) =>
    folder.damaged(CARD, `${name} ${JSON.stringify(value)}`.slice(0, 200));
  const { epsilon, ...sizes } = model;
  const { layers, width, heads, inner, embeddingWidth, positions, types } = sizes;
  const counts = [layers, width, heads, inner, embeddingWidth, positions, types];
  if (!(counts.every((n) => isCount(n, MOST_UNITS)) && width % heads === 0 && epsilon > 0))
    throw refuse("model", model);
  const { layer, head, multiplier } = mapping;
  const isHead = isCount(layer, layers - 1, 0) && isCount(head, heads - 1, 0);
  if (!(isHead && multiplier > 0 && multiplier < Infinity)) throw refuse("mapping", mapping);
  folder.checkDataName(data);
}

/** Reads the files that `writeModelFolder` wrote. The backend must be ready. */
export function readModel(files: ModelFiles): AtomMappingModel {
  const folder = new ModelReader(OP, files, [WEIGHTS, VOCABULARY, CARD]);
  const card = folder.json<AtomMappingCard>(CARD, ["model", "mapping", "data"]);
  checkCard(folder, card);
  const { tokens } = folder.json<{ tokens: string[] }>(VOCABULARY, []);
  if (!Array.isArray(tokens) || !tokens.every((token) => typeof token === "string"))
    throw folder.damaged(VOCABULARY, "tokens that are no list of texts");
  const vocabulary = new SmilesVocabulary(tokens);
  const config = mapperConfig(card.model, tokens.length, card.mapping.layer + 1);
  const model = new Transformer(config, folder.weights(transformerParameters(config), "F32"));
  return { model, vocabulary, card };
}
