/** Small models whose ONNX files are compared with heed: those of published architectures, and what only heed has. */
import { gpt2, llama, Transformer, type TransformerConfig, t5 } from "../../src/models/transformer/index.ts";
import { fixture, loaded } from "../models/transformer/fixture.ts";

const decoder = gpt2({ layers: 2, width: 15, heads: 3, inner: 7, vocabulary: 13, positions: 11 });
const rotated = llama({ layers: 2, width: 24, heads: 4, keyValueHeads: 2, inner: 7, vocabulary: 13 });
const relative = t5({ encoderLayers: 1, decoderLayers: 1, width: 8, heads: 2, headWidth: 5, vocabulary: 13 });

/** Configurations of which no fixture has weights. */
const CONFIGS: Readonly<Record<string, TransformerConfig>> = {
  "ALiBi, post-norm, SiLU without a gate": {
    ...decoder,
    positions: { kind: "alibi" },
    preNorm: false,
    activation: "silu",
  },
  "interleaved sinusoids of odd width, no head": {
    ...decoder,
    positions: { kind: "sinusoidal", order: "interleaved" },
    head: undefined,
  } as TransformerConfig,
  "interleaved rotation of part of a head, YaRN, with biases": {
    ...rotated,
    attentionBias: true,
    positions: {
      ...{ kind: "rope", base: 100, width: 4, pairs: "interleaved" },
      scaling: { type: "yarn", factor: 3, original: 16 },
    },
  },
  "T5's distances in a decoder alone": {
    ...rotated,
    positions: { kind: "t5", buckets: 6, maxDistance: 5 },
  },
  "vectors with a class token and T5's distances": {
    ...relative,
    decoderLayers: 0,
    vocabulary: 0,
    inputWidth: 5,
    classToken: true,
    pooler: true,
    head: undefined,
  } as TransformerConfig,
};

const ENCODERS = [
  ...["bert", "bert-classifier", "roberta", "roberta-classifier", "distilbert", "distilbert-classifier"],
  ...["albert", "vit", "vectors with a class token and T5's distances"],
];
const DECODERS = [
  ...["gpt2", "llama", "mistral", "qwen2", "ALiBi, post-norm, SiLU without a gate"],
  ...["interleaved sinusoids of odd width, no head", "T5's distances in a decoder alone"],
  "interleaved rotation of part of a head, YaRN, with biases",
];
export const NAMES = { encoders: ENCODERS, decoders: DECODERS, both: ["t5", "t5-gated", "marian"] };

/** Configurations in which defaults are said by undefined lose those entries. */
const said = (config: TransformerConfig) =>
  Object.fromEntries(
    Object.entries(config).filter(([, value]) => value !== undefined),
  ) as unknown as TransformerConfig;

export async function modelOf(name: string): Promise<Transformer> {
  const config = CONFIGS[name];
  return config ? new Transformer(said(config), 3) : loaded(fixture(name));
}
