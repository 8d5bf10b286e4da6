import { fullConfig, type TransformerConfig } from "../../models/transformer/config.ts";
import { transformerParameters } from "../../models/transformer/parameters.ts";
import { llama } from "../../models/transformer/presets/llama.ts";
import { Transformer } from "../../models/transformer/transformer.ts";
import { CARD, type ModelFiles, ModelReader, VOCABULARY, WEIGHTS } from "../model-files.ts";
import type { LanguageModelCard } from "./card.ts";
import { Characters } from "./characters.ts";

const OP = "loadLanguageModel";

export interface LanguageModelFiles {
  model: Transformer;
  characters: Characters;
  card: LanguageModelCard;
}

/** Reads the files that `writeModelFolder` wrote. The backend must be ready. */
export function readModel(files: ModelFiles): LanguageModelFiles {
  const folder = new ModelReader(OP, files, [WEIGHTS, VOCABULARY, CARD]);
  const card = folder.json<LanguageModelCard>(CARD, ["model", "data"]);
  folder.checkDataName(card.data);
  const { characters: list } = folder.json<{ characters: string[] }>(VOCABULARY, []);
  if (!Array.isArray(list) || !list.every((one) => typeof one === "string"))
    throw folder.damaged(VOCABULARY, "characters that are no list of texts");
  if (!(Number.isSafeInteger(card.length) && card.length >= 2))
    throw folder.damaged(CARD, `length ${card.length}`);
  const config = configOf(folder, card, list.length);
  const model = new Transformer(config, folder.weights(transformerParameters(fullConfig(config))));
  return { model, characters: new Characters(list), card };
}

function configOf(folder: ModelReader, card: LanguageModelCard, vocabulary: number): TransformerConfig {
  const { preset, ...options } = card.model;
  if (preset !== "llama") throw folder.damaged(CARD, `a model of the preset ${JSON.stringify(preset)}`);
  return llama({ ...options, vocabulary });
}
