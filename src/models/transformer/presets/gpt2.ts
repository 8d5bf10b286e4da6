import type { TransformerConfig } from "../config.ts";
import type { PublishedNames } from "../published.ts";
import type { PresetSizes } from "./shared.ts";

export interface Gpt2Options extends PresetSizes {
  /** Rows of the table of positions. */
  positions: number;
}

/**
 * GPT-2: a decoder alone, with norms before sublayers and learned positions, that continues text.
 *
 * Paper: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners".
 *
 * @example
 * const model = new Transformer(gpt2({ layers: 2, width: 8, heads: 2, vocabulary: 11, positions: 16 }), 1);
 * const tokens = tf.tensor2d([[3, 1, 4]], [1, 3], "int32");
 * model.logits(model.decode({ tokens })).shape; // [1, 3, 11]
 */
export function gpt2({ layers, inner, positions, dropout = 0.1, ...sizes }: Gpt2Options): TransformerConfig {
  return {
    ...sizes,
    encoderLayers: 0,
    decoderLayers: layers,
    inner: inner ?? 4 * sizes.width,
    dropout,
    norm: "layer",
    epsilon: 1e-5,
    preNorm: true,
    activation: "geluTanh",
    attentionBias: true,
    innerBias: true,
    positions: { kind: "learned", length: positions },
    head: { tied: true, bias: false },
  };
}

const part = (index: number) => ({
  name: "transformer.h.#.attn.c_attn",
  transposed: true,
  part: { index, of: 3 },
});

/** Names of `GPT2LMHeadModel`, whose matrices are [in, out]. */
export const gpt2Names: PublishedNames = {
  "embedding/token": "transformer.wte.weight",
  "embedding/position": "transformer.wpe.weight",
  "decoder/#/self/query": part(0),
  "decoder/#/self/key": part(1),
  "decoder/#/self/value": part(2),
  "decoder/#/self/output": { name: "transformer.h.#.attn.c_proj", transposed: true },
  "decoder/#/self/norm": "transformer.h.#.ln_1",
  "decoder/#/feed/in": { name: "transformer.h.#.mlp.c_fc", transposed: true },
  "decoder/#/feed/out": { name: "transformer.h.#.mlp.c_proj", transposed: true },
  "decoder/#/feed/norm": "transformer.h.#.ln_2",
  "decoder/norm": "transformer.ln_f",
};
