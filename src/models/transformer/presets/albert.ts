import type { TransformerConfig } from "../config.ts";
import type { PublishedNames } from "../published.ts";
import { type BertOptions, bert } from "./bert.ts";

export interface AlbertOptions extends BertOptions {
  /** E, the width of embeddings. @default 128 */
  embeddingWidth?: number;
  /** Groups of layers that share their weights. @default 1 */
  groups?: number;
}

/**
 * ALBERT: BERT whose layers share their weights and whose embeddings are narrow.
 *
 * Paper: Lan et al. 2020, arxiv.org/abs/1909.11942.
 *
 * @example
 * const model = new Transformer(albert({ layers: 4, width: 8, heads: 2, embeddingWidth: 4, vocabulary: 11, positions: 16 }), 1);
 * model.encode({ tokens: tf.tensor2d([[3, 1, 4]], [1, 3], "int32") }).shape; // [1, 3, 8]
 */
export function albert({ embeddingWidth = 128, groups = 1, ...options }: AlbertOptions): TransformerConfig {
  return { ...bert({ activation: "geluTanh", ...options }), embeddingWidth, layerGroups: groups };
}

const GROUP = "albert.encoder.albert_layer_groups.#.albert_layers.0";

/** Names of `AlbertForMaskedLM`. */
export const albertNames: PublishedNames = {
  "embedding/token": "albert.embeddings.word_embeddings.weight",
  "embedding/position": "albert.embeddings.position_embeddings.weight",
  "embedding/type": "albert.embeddings.token_type_embeddings.weight",
  "embedding/norm": "albert.embeddings.LayerNorm",
  "embedding/projection": "albert.encoder.embedding_hidden_mapping_in",
  "encoder/#/self/query": `${GROUP}.attention.query`,
  "encoder/#/self/key": `${GROUP}.attention.key`,
  "encoder/#/self/value": `${GROUP}.attention.value`,
  "encoder/#/self/output": `${GROUP}.attention.dense`,
  "encoder/#/self/norm": `${GROUP}.attention.LayerNorm`,
  "encoder/#/feed/in": `${GROUP}.ffn`,
  "encoder/#/feed/out": `${GROUP}.ffn_output`,
  "encoder/#/feed/norm": `${GROUP}.full_layer_layer_norm`,
  pooler: "albert.pooler",
  classifier: "classifier",
  "head/transform": "predictions.dense",
  "head/norm": "predictions.LayerNorm",
  "head/bias": "predictions.bias",
};
