import * as tf from "@tensorflow/tfjs-core";
import { softmaxCrossEntropy } from "../../ops/softmax-cross-entropy.ts";
import { tidy } from "../../ops/tidy.ts";
import { Parameters } from "../parameters.ts";
import { activate, type Sight } from "./block.ts";
import type { KeyValueCache } from "./cache.ts";
import { type FullConfig, fullConfig, type TransformerConfig } from "./config.ts";
import { Dropout } from "./dropout.ts";
import { embed } from "./embeddings.ts";
import { transformerParameters } from "./parameters.ts";
import { type Memory, runStack } from "./stack.ts";
import { Weights } from "./weights.ts";

/** A sequence of each example. */
export interface SequenceInputs {
  /** Tokens int32 [B, T], or vectors [B, T, Cin] where the model has `inputWidth`. */
  tokens: tf.Tensor2D | tf.Tensor3D;
  /** Kinds of segments int32 [B, T]. @default all 0, in a model that has them */
  types?: tf.Tensor2D;
  /** Tokens of each example, later ones are padding. @default T */
  lengths?: ArrayLike<number>;
  /** `true` where a token may see another: bool [T, T] or [B, H, T, T], any length may be 1. @default everywhere */
  allow?: tf.Tensor;
}

export interface ForwardOptions {
  /** Dropout's seed of this step; without it nothing is dropped. */
  dropoutSeed?: number | undefined;
}

export interface DecodeOptions extends ForwardOptions {
  /** What the encoder gave, in a model that has one. */
  memory?: tf.Tensor3D;
  /** Valid positions of the memory. @default all */
  memoryLengths?: ArrayLike<number>;
  /** Keys and values of earlier tokens; those of these are added. @default none: the sequence begins here */
  cache?: KeyValueCache;
  /** With a cache: the tokens are hypotheses, see `StepOptions`. */
  parents?: ArrayLike<number>;
}

/**
 * One Transformer for all papers: an encoder, a decoder, or both, as its configuration says.
 *
 *     encode   embeddings → layers of self-attention and feed-forward
 *     decode   embeddings → layers of causal self-attention, attention to the memory where there is one, feed-forward
 *     logits   states → scores of the next token, or of the token that stands there
 *
 * Shapes: tokens [B, T] → states [B, T, C] → logits [B, T, V].
 * Conventions: matrices are [out, in] under the names of `transformerParameters`; `presets` says what the published
 * checkpoints call them. Padding comes last and is told by `lengths`. Methods that return tensors leave them to the
 * caller's `tf.tidy`.
 * Paper: Vaswani et al. 2017, arxiv.org/abs/1706.03762; the others stand with their configurations.
 *
 * @example
 * const model = new Transformer(gpt2({ layers: 2, width: 8, heads: 2, vocabulary: 11, positions: 16 }), 1);
 * const states = model.decode({ tokens: tf.tensor2d([[3, 1, 4]], [1, 3], "int32") });
 * model.logits(states).shape; // [1, 3, 11]
 * model.dispose();
 */
export class Transformer {
  readonly config: FullConfig;
  readonly parameters: Parameters;
  readonly #weights: Weights;

  /**
   * @param start a seed of the first values, the values by name, or parameters that were made for this configuration
   * @throws OptionError OPTION, UNKNOWN, CONFLICT, HEADS where the configuration contradicts itself
   */
  constructor(
    config: TransformerConfig,
    start: number | Readonly<Record<string, Float32Array>> | Parameters = 0,
  ) {
    this.config = fullConfig(config);
    this.parameters =
      start instanceof Parameters
        ? start
        : Parameters.start("Transformer", transformerParameters(this.config), start);
    this.#weights = new Weights(this.parameters.variables, this.config);
  }

  /** States of a whole sequence: [B, T, C]; with a class token [B, T + 1, C]. */
  encode(inputs: SequenceInputs, { dropoutSeed }: ForwardOptions = {}): tf.Tensor3D {
    const { encoderLayers, classToken, dropout: rate } = this.config;
    return tidy(() => {
      const dropout = new Dropout(rate, dropoutSeed);
      const x = embed(this.#weights, inputs, dropout);
      const { lengths, allow } = inputs;
      const counted = lengths && classToken ? Array.from(lengths, (n) => n + 1) : lengths;
      const sight: Sight = { ...(counted && padding(counted)), ...(allow && { allow }) };
      return runStack(this.#weights.at("encoder"), encoderLayers, x, { causal: false, sight, dropout });
    });
  }

  /** States of a sequence whose tokens see what is before them: [B, T, C]. */
  decode(inputs: SequenceInputs, options: DecodeOptions = {}): tf.Tensor3D {
    const { dropoutSeed, memory: states, memoryLengths, cache, parents } = options;
    const { decoderLayers, dropout: rate } = this.config;
    return tidy(() => {
      const dropout = new Dropout(rate, dropoutSeed);
      const { lengths, allow, tokens } = inputs;
      const memory: Memory | undefined = states && {
        states,
        sight: memoryLengths ? { keyLengths: memoryLengths } : {},
      };
      if (cache && memory) cache.remember(memory.sight);
      const step = cache?.step(tokens.shape[1], { lengths, parents });
      const x = embed(this.#weights, { ...inputs, ...(step && { span: step.span }) }, dropout);
      const sight: Sight = { ...(lengths && padding(lengths)), ...(allow && { allow }) };
      const output = runStack(this.#weights.at("decoder"), decoderLayers, x, {
        causal: true,
        sight: step ? {} : sight,
        memory,
        dropout,
        step,
      });
      step?.done();
      return output;
    });
  }

  /** Scores of tokens: states […, C] → […, V]. */
  logits<T extends tf.Tensor>(states: T): T {
    const { head, activation } = this.config;
    const weights = this.#weights;
    return tidy(() => {
      let x: tf.Tensor = states;
      if (head!.transform) {
        x = weights.norm("head/norm", activate(activation, weights.map("head/transform", x as tf.Tensor3D)));
      }
      if (head!.scale !== undefined) x = tf.mul(x, head!.scale);
      return weights.scores(x, head!.tied ? "embedding/token" : "head/weight", "head/bias") as T;
    });
  }

  /** The first state, through the pooler where there is one: [B, T, C] → [B, C]. */
  pooled(states: tf.Tensor3D): tf.Tensor2D {
    const [B, , C] = states.shape;
    return tidy(() => {
      const first = tf.reshape<tf.Rank.R2>(tf.slice(states, [0, 0, 0], [B, 1, C]), [B, C]);
      if (!this.config.pooler) return first;
      const pooled = this.#weights.map("pooler", first);
      return this.config.poolerActivation === "relu" ? tf.relu(pooled) : tf.tanh(pooled);
    });
  }

  /** Scores of classes: [B, T, C] → [B, classes]. */
  classLogits(states: tf.Tensor3D): tf.Tensor2D {
    return tidy(() => this.#weights.map("classifier", this.pooled(states)));
  }

  dispose(): void {
    this.parameters.dispose();
  }
}

const padding = (lengths: ArrayLike<number>): Sight => ({ queryLengths: lengths, keyLengths: lengths });

/** Mean cross-entropy of tokens in nats: logits [B, T, V], labels int32 [B, T], of which those below 0 do not count. */
export function tokenLoss(
  logits: tf.Tensor3D,
  labels: tf.Tensor2D,
  { smoothing = 0 }: { smoothing?: number } = {},
): tf.Scalar {
  return tidy(() => {
    const [B, T, V] = logits.shape;
    const flat = tf.reshape<tf.Rank.R1>(labels, [B * T]);
    const losses = softmaxCrossEntropy(tf.reshape(logits, [B * T, V]), flat, { smoothing });
    const counted = tf.sum(tf.cast(tf.greaterEqual(flat, 0), "float32"));
    return tf.div(tf.sum(losses), tf.maximum(counted, 1)) as tf.Scalar;
  });
}
