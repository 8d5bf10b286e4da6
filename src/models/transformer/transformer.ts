import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";
import { checkSegments, type Segments } from "../../ops/attention/packed.ts";
import { linear } from "../../ops/linear.ts";
import { softmaxCrossEntropy } from "../../ops/softmax-cross-entropy.ts";
import { tidy } from "../../ops/tidy.ts";
import { Parameters } from "../parameters.ts";
import { activate, type Sight } from "./block.ts";
import type { KeyValueCache } from "./cache.ts";
import { type FullConfig, fullConfig, type TransformerConfig } from "./config.ts";
import { Dropout } from "./dropout.ts";
import { embed } from "./embeddings.ts";
import { transformerParameters } from "./parameters.ts";
import { spanOf } from "./span.ts";
import { type Memory, runStack } from "./stack.ts";
import { type Adapter, Weights } from "./weights.ts";

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
  /**
   * Rows are packed: the lengths of the sequences that stand one after another in each of them, B lists of integers ≥ 0, as
   * `packBatch` gives them. Each sees itself alone, and its positions begin with 0. @default one sequence a row
   */
  segments?: Segments;
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
  /** `segments` of the memory, where both are packed: sequence n of a row reads sequence n of that row of the memory. */
  memorySegments?: Segments;
  /** Keys and values of earlier tokens; those of these are added. @default none: the sequence begins here */
  cache?: KeyValueCache;
  /** With a cache: the tokens are hypotheses, see `StepOptions`. */
  parents?: ArrayLike<number>;
}

/** Rows of the last matrix [V′, C] and of its bias [V′]. */
export type HeadRows = { readonly matrix: tf.Tensor2D; readonly bias?: tf.Tensor1D };

const TIED_HEAD = "embedding/token";
const HEAD = "head/weight";
const HEAD_BIAS = "head/bias";

/**
 * One Transformer for all papers: an encoder, a decoder, or both, as its configuration says.
 *
 *     encode   embeddings → layers of self-attention and feed-forward
 *     decode   embeddings → layers of causal self-attention, attention to the memory where there is one, feed-forward
 *     logits   states → scores of the next token, or of the token that stands there
 *
 * Shapes: tokens [B, T] → states [B, T, C] → logits [B, T, V].
 * Conventions: matrices are [out, in] under the names of `transformerParameters`; `presets` says what the published
 * checkpoints call them. Padding comes last and is told by `lengths`; rows of several sequences are told by `segments`. Methods that return tensors leave them to the
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
  /** What is added to what the matrices make; it is not the model's, and one may be put in the place of another. */
  adapter: Adapter | undefined;

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
  }

  #weights(dropoutSeed?: number): Weights {
    return new Weights(this.parameters, this.config, "", this.adapter?.pass(dropoutSeed));
  }

  /**
   * States of a whole sequence: [B, T, C]; with a class token [B, T + 1, C].
   *
   * @throws OptionError OPTION, CONFLICT where `segments` are none, or meet what knows one sequence a row
   */
  encode(inputs: SequenceInputs, { dropoutSeed }: ForwardOptions = {}): tf.Tensor3D {
    const { encoderLayers, classToken, dropout: rate } = this.config;
    checkPacked(this.config, inputs);
    return tidy(() => {
      const dropout = new Dropout(rate, dropoutSeed);
      const { lengths, allow, segments, tokens } = inputs;
      const span = spanOf(tokens.shape[1]!, segments);
      const weights = this.#weights(dropoutSeed);
      const x = embed(weights, { ...inputs, span }, dropout);
      const counted = lengths && classToken ? Array.from(lengths, (n) => n + 1) : lengths;
      const sight: Sight = {
        ...(counted && padding(counted)),
        ...(allow && { allow }),
        ...(segments && { segments }),
      };
      return runStack(weights.at("encoder"), encoderLayers, x, { causal: false, sight, dropout });
    });
  }

  /**
   * States of a sequence whose tokens see what is before them: [B, T, C].
   *
   * @throws OptionError OPTION, CONFLICT as `encode`
   */
  decode(inputs: SequenceInputs, options: DecodeOptions = {}): tf.Tensor3D {
    const { dropoutSeed, memory: states, memoryLengths, memorySegments, cache, parents } = options;
    const { decoderLayers, dropout: rate } = this.config;
    checkPacked(this.config, inputs, options);
    return tidy(() => {
      const dropout = new Dropout(rate, dropoutSeed);
      const { lengths, allow, segments, tokens } = inputs;
      const memory: Memory | undefined = states && {
        states,
        sight: {
          ...(memoryLengths && { keyLengths: memoryLengths }),
          ...(segments && memorySegments && { segments, keySegments: memorySegments }),
        },
      };
      if (cache && memory) cache.remember(memory.sight);
      const step = cache?.step(tokens.shape[1], { lengths, parents });
      const span = step?.span ?? spanOf(tokens.shape[1]!, segments);
      const weights = this.#weights(dropoutSeed);
      const x = embed(weights, { ...inputs, span }, dropout);
      const sight: Sight = {
        ...(lengths && padding(lengths)),
        ...(allow && { allow }),
        ...(segments && { segments }),
      };
      const output = runStack(weights.at("decoder"), decoderLayers, x, {
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

  /**
   * The rows of the head for some tokens, gathered once for many calls of `logits`; the caller disposes them.
   *
   * @param ids int32 [V′]
   */
  headRows(ids: tf.Tensor1D): HeadRows {
    const { parameters, config } = this;
    return tidy(() => ({
      matrix: parameters.rows(config.head!.tied ? TIED_HEAD : HEAD, ids),
      ...(parameters.has(HEAD_BIAS) && { bias: tf.gather(parameters.vector(HEAD_BIAS), ids) }),
    }));
  }

  /** Scores of tokens: states […, C] → […, V]; of those of `rows` alone where given: […, V′]. */
  logits<T extends tf.Tensor>(states: T, rows?: HeadRows): T {
    const { head, activation } = this.config;
    const weights = this.#weights();
    return tidy(() => {
      let x: tf.Tensor = states;
      if (head!.transform) {
        x = weights.norm("head/norm", activate(activation, weights.map("head/transform", x as tf.Tensor3D)));
      }
      if (head!.scale !== undefined) x = tf.mul(x, head!.scale);
      if (rows) return linear(x, rows.matrix, rows.bias, { transposed: true }) as T;
      return weights.scores(x, head!.tied ? TIED_HEAD : HEAD, HEAD_BIAS) as T;
    });
  }

  /** The first state, through the pooler where there is one: [B, T, C] → [B, C]. */
  pooled(states: tf.Tensor3D): tf.Tensor2D {
    const [B, , C] = states.shape;
    return tidy(() => {
      const first = tf.reshape<tf.Rank.R2>(tf.slice(states, [0, 0, 0], [B, 1, C]), [B, C]);
      if (!this.config.pooler) return first;
      const pooled = this.#weights().map("pooler", first);
      return this.config.poolerActivation === "relu" ? tf.relu(pooled) : tf.tanh(pooled);
    });
  }

  /** Scores of classes: [B, T, C] → [B, classes]. */
  classLogits(states: tf.Tensor3D): tf.Tensor2D {
    return tidy(() => this.#weights().map("classifier", this.pooled(states)));
  }

  dispose(): void {
    this.parameters.dispose();
  }
}

/** @throws OptionError OPTION · CONFLICT where packed rows meet what knows one sequence a row */
function checkPacked(
  { classToken }: FullConfig,
  { tokens, segments, lengths, allow }: SequenceInputs,
  { memory, memoryLengths, memorySegments, cache }: DecodeOptions = {},
): void {
  const refuse = (rule: string, got: string, remedy: string) => {
    throw new OptionError("CONFLICT", { op: "Transformer", rule, got, remedy });
  };
  if (!segments) {
    if (memorySegments)
      refuse(
        "a packed memory must be read by packed rows",
        "memorySegments without segments",
        "give both or neither",
      );
    return;
  }
  const others = { lengths, allow, memoryLengths, cache, "a class token": classToken };
  const met = Object.entries(others).filter(([, value]) => value !== undefined && value !== false);
  if (met.length > 0) {
    const got = met.map(([name]) => name).join(" and ");
    refuse(
      "segments must come alone: they say what is seen",
      got,
      "leave it out, or give one sequence a row",
    );
  }
  const [B, T] = tokens.shape as [number, number];
  checkSegments("Transformer", "segments", segments, B, "T", T);
  if (memory && !memorySegments)
    refuse(
      "packed rows must know the sequences of the memory",
      "no memorySegments",
      "give those that the encoder was given as segments",
    );
  if (memory) checkSegments("Transformer", "memorySegments", memorySegments!, B, "S", memory.shape[1]);
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
