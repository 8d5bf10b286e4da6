import type { RopeScaling } from "../../attention/position/rope-frequencies.ts";
import { checkKeys } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";

/** How a Transformer knows where its tokens stand. */
export type Positions =
  | { kind: "none" }
  /** Sines and cosines added to the embeddings: "interleaved" as in the paper, "halves" as Marian keeps them. */
  | { kind: "sinusoidal"; order: "interleaved" | "halves" }
  /** A learned row for each position, added to the embeddings; the first token stands at `first` (RoBERTa: 2). */
  | { kind: "learned"; length: number; first?: number }
  /** A learned bias of the scores for each head and bucket of distances, one table a stack. */
  | { kind: "t5"; buckets: number; maxDistance: number }
  /** A fixed slope of the scores for each head. */
  | { kind: "alibi" }
  /** Queries and keys turn with their position; `width` is how many channels of a head turn. */
  | { kind: "rope"; base: number; width?: number; pairs?: "half" | "interleaved"; scaling?: RopeScaling };

/** Tokens of the longest sequence that there are positions for. */
export const mostTokens = ({ positions }: { readonly positions: Positions }): number =>
  positions.kind === "learned" ? positions.length - (positions.first ?? 0) : Infinity;

export type Activation = "relu" | "gelu" | "geluTanh" | "silu";

/** What follows the last layer of a decoder, or of an encoder that fills gaps. */
export interface HeadConfig {
  /** The token embedding is the last matrix too (Press & Wolf 2017, arxiv.org/abs/1608.05859). */
  tied: boolean;
  bias: boolean;
  /** A dense layer with the activation and a norm before the last matrix, as BERT has them. @default false */
  transform?: boolean;
  /** Factor of the states before a tied matrix; T5 has C^−½. @default 1 */
  scale?: number;
}

/**
 * One Transformer, many papers: what BERT, ALBERT, GPT-2, Llama, ViT, T5, Marian and the Transformer of the paper differ
 * in. `presets` has each of them as a value of this type.
 */
export interface TransformerConfig {
  /** Layers that see their whole sequence; 0 leaves the encoder out. */
  encoderLayers: number;
  /** Layers that see what is before them, and the encoder's output where there is one; 0 leaves the decoder out. */
  decoderLayers: number;
  /** Layers share their weights with their neighbours, in so many groups; ALBERT has 1. @default one for each layer */
  layerGroups?: number;
  /** C */
  width: number;
  /** H, query heads. */
  heads: number;
  /** Hkv, key and value heads; they divide H. @default H */
  keyValueHeads?: number;
  /** D, the width of a head. @default C / H */
  headWidth?: number;
  /** F, between the two maps of the feed-forward sublayer. */
  inner: number;
  norm: "layer" | "rms";
  epsilon: number;
  /** Norms stand before sublayers, not after what they add. */
  preNorm: boolean;
  /** A norm after the last layer. @default preNorm */
  finalNorm?: boolean;
  activation: Activation;
  /** inner = activation(x·W_gate) ⊙ (x·W_in) (Shazeer 2020, arxiv.org/abs/2002.05202). @default false */
  gated?: boolean;
  /** Biases of the maps to queries, keys and values. */
  attentionBias: boolean;
  /** Bias of the map of the heads' outputs. @default attentionBias */
  outputBias?: boolean;
  /** Biases of the feed-forward maps. */
  innerBias: boolean;
  /** Factor of the scores. @default 1/√D */
  scale?: number;
  /** Keys that a decoder's token sees, itself the last of them (Mistral). @default all before it */
  window?: number;
  positions: Positions;
  /** V; 0 where inputs are vectors, not tokens. */
  vocabulary: number;
  /** E, the width of token embeddings, mapped to C where it is another (ALBERT). @default C */
  embeddingWidth?: number;
  /** Factor of token embeddings; the paper and Marian have √C. @default 1 */
  embeddingScale?: number;
  /** A norm of the sum of embeddings, as BERT has it. @default false */
  embeddingNorm?: boolean;
  /** Kinds of segments with a learned vector each, BERT's token types. @default 0 */
  types?: number;
  /** Cin, the width of inputs that are vectors, such as patches of an image; with `vocabulary: 0`. @default none */
  inputWidth?: number;
  /** A learned vector before the first input, which a classifier reads. @default false */
  classToken?: boolean;
  /** @default none: the output is the states */
  head?: HeadConfig;
  /** A dense layer with tanh over the first state, as BERT has it. @default false */
  pooler?: boolean;
  /** Of the pooler; DistilBERT's classifier has ReLU. @default "tanh" */
  poolerActivation?: "tanh" | "relu";
  /** Classes that a last map of the first (pooled) state scores. @default none */
  classes?: number;
  /** Share dropped in training: of embeddings, of attention's weights, between the feed-forward maps, of what sublayers add. */
  dropout: number;
}

const COUNTS = ["encoderLayers", "decoderLayers", "vocabulary", "types"] as const;
const SIZES = [
  "width",
  "heads",
  "keyValueHeads",
  "headWidth",
  "inner",
  "layerGroups",
  "embeddingWidth",
  "inputWidth",
  "classes",
  "window",
] as const;
const SWITCHES = [
  "preNorm",
  "finalNorm",
  "gated",
  "attentionBias",
  "outputBias",
  "innerBias",
  "embeddingNorm",
  "classToken",
  "pooler",
] as const;
const CHOICES = {
  norm: ["layer", "rms"],
  activation: ["relu", "gelu", "geluTanh", "silu"],
  poolerActivation: ["tanh", "relu"],
} as const;
const NUMBERS = ["epsilon", "scale", "embeddingScale", "dropout", "positions", "head"] as const;
const KEYS: readonly string[] = [...COUNTS, ...SIZES, ...SWITCHES, ...Object.keys(CHOICES), ...NUMBERS];

/** A configuration with its defaults. */
export interface FullConfig
  extends Omit<TransformerConfig, "head" | "inputWidth" | "classes" | "layerGroups" | "window"> {
  keyValueHeads: number;
  headWidth: number;
  finalNorm: boolean;
  gated: boolean;
  outputBias: boolean;
  embeddingWidth: number;
  embeddingScale: number;
  embeddingNorm: boolean;
  types: number;
  classToken: boolean;
  pooler: boolean;
  poolerActivation: "tanh" | "relu";
  scale: number;
  inputWidth: number | undefined;
  window: number | undefined;
  layerGroups: number | undefined;
  head: HeadConfig | undefined;
  classes: number | undefined;
}

/** Each field by itself. */
function checkFields(config: TransformerConfig): void {
  const given = config as unknown as Record<string, unknown>;
  checkKeys("Transformer", given, KEYS);
  const check = (names: readonly string[], rule: string, holds: (value: never) => boolean) => {
    for (const name of names) {
      const value = given[name];
      if (value !== undefined && !holds(value as never)) refuse("OPTION", `${name} must be ${rule}`, value);
    }
  };
  check(COUNTS, "an integer ≥ 0", (n: number) => Number.isSafeInteger(n) && n >= 0);
  check(SIZES, "an integer ≥ 1", (n: number) => Number.isSafeInteger(n) && n >= 1);
  check(SWITCHES, "true or false", (value) => typeof value === "boolean");
  for (const [name, choices] of Object.entries(CHOICES)) {
    check([name], choices.join(" or "), (value) => (choices as readonly string[]).includes(value));
  }
  check(["epsilon"], "a positive number", (n: number) => n > 0 && n < Infinity);
  check(["scale", "embeddingScale"], "a finite number", (n: number) => Number.isFinite(n));
  check(["dropout"], "a number from 0 to below 1", (n: number) => n >= 0 && n < 1);
}

/** What fields say of one another; D and Hkv are the head size and the key/value heads, given or by default. */
function checkTogether(config: TransformerConfig, D: number, Hkv: number): void {
  const { width: C, heads: H, encoderLayers, decoderLayers, positions, layerGroups } = config;
  if (encoderLayers + decoderLayers === 0)
    refuse("CONFLICT", "there must be a layer", "encoderLayers=0 and decoderLayers=0");
  if (config.headWidth === undefined && C % H !== 0) {
    refuse(
      "CONFLICT",
      `width C=${C} must be a multiple of heads H=${H} where headWidth is left out`,
      `${C} and ${H}`,
    );
  }
  if (H % Hkv !== 0)
    refuse("HEADS", `heads H=${H} must be a multiple of keyValueHeads Hkv=${Hkv}`, `${H} and ${Hkv}`);
  for (const layers of [encoderLayers, decoderLayers]) {
    if (layerGroups !== undefined && layers > 0 && layerGroups > layers) {
      refuse(
        "CONFLICT",
        "layerGroups must be at most the layers of a stack",
        `${layerGroups} groups of ${layers} layers`,
      );
    }
  }
  if (positions.kind === "rope" && (positions.width ?? D) % 2 !== 0) {
    refuse(
      "CONFLICT",
      "positions of kind rope turn pairs of channels: their width must be even",
      String(positions.width ?? D),
    );
  }
  if (config.vocabulary === 0 && (config.head || decoderLayers > 0)) {
    refuse("CONFLICT", "a decoder or a head must have a vocabulary", "vocabulary=0");
  }
  if ((config.vocabulary === 0) !== (config.inputWidth !== undefined)) {
    refuse(
      "CONFLICT",
      "inputs must be tokens (vocabulary ≥ 1) or vectors (inputWidth)",
      `vocabulary=${config.vocabulary} and inputWidth=${config.inputWidth}`,
    );
  }
  if (config.head?.tied && !config.head.transform && (config.embeddingWidth ?? C) !== C) {
    refuse(
      "CONFLICT",
      "a tied head without transform must have embeddingWidth = width",
      `${config.embeddingWidth} and ${C}`,
    );
  }
}

/**
 * Checks a configuration, and fills in what it leaves to defaults.
 *
 * @throws OptionError OPTION, UNKNOWN, CONFLICT before anything is made
 */
export function fullConfig(config: TransformerConfig): FullConfig {
  checkFields(config);
  const { width: C, heads: H } = config;
  const D = config.headWidth ?? C / H;
  const Hkv = config.keyValueHeads ?? H;
  checkTogether(config, D, Hkv);
  return {
    ...config,
    keyValueHeads: Hkv,
    headWidth: D,
    finalNorm: config.finalNorm ?? config.preNorm,
    gated: config.gated ?? false,
    outputBias: config.outputBias ?? config.attentionBias,
    embeddingWidth: config.embeddingWidth ?? C,
    embeddingScale: config.embeddingScale ?? 1,
    embeddingNorm: config.embeddingNorm ?? false,
    types: config.types ?? 0,
    classToken: config.classToken ?? false,
    pooler: config.pooler ?? false,
    poolerActivation: config.poolerActivation ?? "tanh",
    inputWidth: config.inputWidth,
    window: config.window,
    layerGroups: config.layerGroups,
    head: config.head,
    classes: config.classes,
    scale: config.scale ?? 1 / Math.sqrt(D),
  };
}

function refuse(code: "OPTION" | "CONFLICT" | "HEADS", rule: string, got: unknown): never {
  throw new OptionError(code, { op: "Transformer", rule, got, remedy: "correct the configuration" });
}

/** Which group of weights layer `index` of a stack reads. */
export function groupOf(index: number, layers: number, groups = layers): number {
  return Math.floor((index * groups) / layers);
}
