import type { TransformerConfig } from "../config.ts";
import type { PublishedNames } from "../published.ts";
import type { PresetSizes } from "./shared.ts";

export interface VitOptions extends Omit<PresetSizes, "vocabulary"> {
  /** Patches of an image, rows times columns. */
  patches: number;
  /** Numbers of one patch: channels · height · width, in that order. */
  patchSize: number;
  classes?: number;
  /** @default 1e-12 */
  epsilon?: number;
}

/**
 * Vision Transformer: an image as patches, each a token; a learned class token reads them and is classified.
 *
 * Paper: Dosovitskiy et al. 2021, arxiv.org/abs/2010.11929.
 *
 * @example
 * const model = new Transformer(vit({ layers: 2, width: 8, heads: 2, patches: 4, patchSize: 9, classes: 3 }), 1);
 * model.classLogits(model.encode({ tokens: tf.zeros([2, 4, 9]) })).shape; // [2, 3]
 */
export function vit({
  layers,
  inner,
  patches,
  patchSize,
  dropout = 0.1,
  epsilon,
  ...sizes
}: VitOptions): TransformerConfig {
  return {
    ...sizes,
    encoderLayers: layers,
    decoderLayers: 0,
    inner: inner ?? 4 * sizes.width,
    vocabulary: 0,
    inputWidth: patchSize,
    classToken: true,
    dropout,
    norm: "layer",
    epsilon: epsilon ?? 1e-12,
    preNorm: true,
    activation: "gelu",
    attentionBias: true,
    innerBias: true,
    positions: { kind: "learned", length: patches + 1 },
  };
}

/** Names of `ViTForImageClassification`. */
export const vitNames: PublishedNames = {
  "embedding/input": "vit.embeddings.patch_embeddings.projection",
  "embedding/class": "vit.embeddings.cls_token",
  "embedding/position": "vit.embeddings.position_embeddings",
  "encoder/#/self/query": "vit.encoder.layer.#.attention.attention.query",
  "encoder/#/self/key": "vit.encoder.layer.#.attention.attention.key",
  "encoder/#/self/value": "vit.encoder.layer.#.attention.attention.value",
  "encoder/#/self/output": "vit.encoder.layer.#.attention.output.dense",
  "encoder/#/self/norm": "vit.encoder.layer.#.layernorm_before",
  "encoder/#/feed/in": "vit.encoder.layer.#.intermediate.dense",
  "encoder/#/feed/out": "vit.encoder.layer.#.output.dense",
  "encoder/#/feed/norm": "vit.encoder.layer.#.layernorm_after",
  "encoder/norm": "vit.layernorm",
  classifier: "classifier",
};
