import type { Activation, TransformerConfig } from "../config.ts";
import type { PublishedNames } from "../published.ts";
import type { PresetSizes } from "./shared.ts";

export interface BertOptions extends PresetSizes {
  /** Rows of the table of positions. */
  positions: number;
  /** Position of the first token; RoBERTa has 2. @default 0 */
  firstPosition?: number;
  /** @default 2 */
  types?: number;
  /** @default "gelu" */
  activation?: Activation;
  /** @default 1e-12 */
  epsilon?: number;
  /** Scores tokens, for pre-training. @default true */
  head?: boolean;
  /** @default true */
  pooler?: boolean;
  classes?: number;
}

/**
 * BERT: an encoder with a norm after each sublayer, learned positions and kinds of segments, and a head that fills gaps.
 *
 * Paper: Devlin et al. 2019, arxiv.org/abs/1810.04805. RoBERTa: arxiv.org/abs/1907.11692.
 *
 * @example
 * const model = new Transformer(bert({ layers: 2, width: 8, heads: 2, vocabulary: 11, positions: 16 }), 1);
 * model.encode({ tokens: tf.tensor2d([[3, 1, 4]], [1, 3], "int32") }).shape; // [1, 3, 8]
 */
export function bert(options: BertOptions): TransformerConfig {
  const { layers, width, heads, inner = 4 * width, vocabulary, dropout = 0.1, positions, classes } = options;
  return {
    encoderLayers: layers,
    decoderLayers: 0,
    width,
    heads,
    inner,
    vocabulary,
    dropout,
    norm: "layer",
    epsilon: options.epsilon ?? 1e-12,
    preNorm: false,
    activation: options.activation ?? "gelu",
    attentionBias: true,
    innerBias: true,
    positions: { kind: "learned", length: positions, first: options.firstPosition ?? 0 },
    types: options.types ?? 2,
    embeddingNorm: true,
    pooler: options.pooler ?? true,
    ...((options.head ?? true) && { head: { tied: true, bias: true, transform: true } }),
    ...(classes !== undefined && { classes }),
  };
}

const encoder = (prefix: string): PublishedNames => ({
  "embedding/token": `${prefix}.embeddings.word_embeddings.weight`,
  "embedding/position": `${prefix}.embeddings.position_embeddings.weight`,
  "embedding/type": `${prefix}.embeddings.token_type_embeddings.weight`,
  "embedding/norm": `${prefix}.embeddings.LayerNorm`,
  "encoder/#/self/query": `${prefix}.encoder.layer.#.attention.self.query`,
  "encoder/#/self/key": `${prefix}.encoder.layer.#.attention.self.key`,
  "encoder/#/self/value": `${prefix}.encoder.layer.#.attention.self.value`,
  "encoder/#/self/output": `${prefix}.encoder.layer.#.attention.output.dense`,
  "encoder/#/self/norm": `${prefix}.encoder.layer.#.attention.output.LayerNorm`,
  "encoder/#/feed/in": `${prefix}.encoder.layer.#.intermediate.dense`,
  "encoder/#/feed/out": `${prefix}.encoder.layer.#.output.dense`,
  "encoder/#/feed/norm": `${prefix}.encoder.layer.#.output.LayerNorm`,
  pooler: `${prefix}.pooler.dense`,
  classifier: "classifier",
});

/** Names of `BertForPreTraining`, `BertForMaskedLM` and `BertForSequenceClassification`. */
export const bertNames: PublishedNames = {
  ...encoder("bert"),
  "head/transform": "cls.predictions.transform.dense",
  "head/norm": "cls.predictions.transform.LayerNorm",
  "head/bias": "cls.predictions.bias",
};

/** Names of `RobertaForMaskedLM`. */
export const robertaNames: PublishedNames = {
  ...encoder("roberta"),
  "head/transform": "lm_head.dense",
  "head/norm": "lm_head.layer_norm",
  "head/bias": "lm_head.bias",
};
