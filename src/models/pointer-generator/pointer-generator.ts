import * as tf from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../../core/errors.ts";
import type { PaddedBatch } from "../../data/batching.ts";
import { PAD, START, UNKNOWN } from "../../data/bpe.ts";
import { unstackSteps } from "../../ops/sequence.ts";
import { softmaxCrossEntropy } from "../../ops/softmax-cross-entropy.ts";
import { tidy } from "../../ops/tidy.ts";
import { Parameters } from "../parameters.ts";
import { Encoder } from "../seq2seq/encoder.ts";
import { dropper, stepMask, timeMajor } from "../seq2seq/steps.ts";
import type { PointerMemory } from "./attention.ts";
import { checkPointerConfig, type PointerGeneratorConfig } from "./config.ts";
import { PointerDecoder, type PointerState } from "./decoder.ts";
import { logMixture } from "./mixture.ts";
import { pointerGeneratorParameters } from "./parameters.ts";

const OP = "PointerGenerator";

export interface PointerLossOptions {
  /** Whether the score reads the coverage; `false` trains a model that has one without it, for a start. @default config.coverage */
  coverage?: boolean;
  /** λ, the weight of the coverage loss. @default 1 */
  coverageWeight?: number;
  /** Dropout's seed; without it nothing is dropped. */
  dropoutSeed?: number;
  /** What the summed losses are divided by; the number of target words here by default. */
  pieces?: number;
}

/** Both parts of a loss, each a mean over the target words. */
export interface PointerLosses {
  /** −log P of a word, in nats. */
  words: tf.Scalar;
  /** Σ_i min(a_i, c_i) of a step: 0 where nothing is looked at twice, at most 1. */
  coverage: tf.Scalar;
}

/**
 * The pointer-generator: a bidirectional recurrent encoder and a decoder that writes a word of its vocabulary or copies
 * one of the source, whether or not the vocabulary has it.
 *
 *     P(w) = p_gen P_vocab(w) + (1 − p_gen) Σ_{i: w_i = w} a_i
 *     loss_t = −log P(w*_t) + λ Σ_i min(a_ti, c_ti),    averaged over the words of all targets
 *
 * Symbols: a_t where step t looks, c_t the coverage, the sum of all a before; p_gen how much is written rather than copied.
 * Conventions: the words of a source that the vocabulary lacks have numbers from V on, each source its own, the same in its
 * target; they are embedded as `<unk>`. A target's word that neither has is UNKNOWN. The mixture is of logarithms, so that a
 * p_gen of exactly 0 or 1 gives no NaN. Coverage can be turned on late, as in the paper: train with `coverage: false`
 * first, or give the values of a model without it and zeros as `attention/coverage`.
 * Cost of a step: O(S·(A + H) + E·V). Methods that return tensors leave them to the caller's `tf.tidy`.
 * Paper: See, Liu & Manning 2017, arxiv.org/abs/1704.04368.
 *
 * @throws OptionError OPTION · ShapeError SHAPE, UNKNOWN
 * @example
 * const model = new PointerGenerator({ ...DEFAULT_POINTER_GENERATOR, vocabulary: 20, embedding: 8, encoder: 8, decoder: 8, attention: 8 }, 1);
 * // 20 and 21 are the source's own words; 2 ends the target.
 * const [source, target] = [padBatch([[4, 20, 5, 21]]), padBatch([[21, 5, 2]])];
 * console.log(tf.tidy(() => model.loss(source, target).dataSync()[0] > 0)); // true
 * model.dispose();
 */
export class PointerGenerator {
  readonly config: PointerGeneratorConfig;
  readonly parameters: Parameters;
  readonly decoder: PointerDecoder;
  readonly #encoder: Encoder;

  /** A model with given parameters, by name; without them random ones: one seed, one model, on every machine. */
  constructor(config: PointerGeneratorConfig, start: number | Readonly<Record<string, Float32Array>> = 0) {
    checkPointerConfig(config);
    this.config = config;
    this.parameters = Parameters.start(OP, pointerGeneratorParameters(config), start);
    this.#encoder = new Encoder(config, this.parameters);
    this.decoder = new PointerDecoder(config, this.parameters);
  }

  /** Whether a call reads the coverage. @throws OptionError CONFLICT where the model has none */
  covers(coverage = this.config.coverage): boolean {
    if (!coverage || this.config.coverage) return coverage;
    const fault = { op: OP, rule: "coverage must have a weight", got: "a configuration without" };
    const remedy = "make the model with coverage: true, or leave it off";
    throw new OptionError("CONFLICT", { ...fault, remedy });
  }

  /** Reads the sources: what the decoder attends to, and its first state. */
  encode(
    source: PaddedBatch,
    { coverage, dropoutSeed }: Pick<PointerLossOptions, "coverage" | "dropoutSeed"> = {},
  ): { memory: PointerMemory; state: PointerState } {
    checkWords(source, "source");
    const empty = source.lengths.indexOf(0);
    if (empty >= 0) {
      const fault = { op: OP, rule: "every source must have a word", got: `none in source ${empty}` };
      throw new ShapeError("SHAPE", { ...fault, remedy: "leave it out" });
    }
    const { rows: B, width: S, lengths } = source;
    const drop = dropper(this.config.dropout, dropoutSeed);
    const embedded = drop(this.embed(timeMajor(source)));
    const shaped: tf.Tensor3D = tf.reshape(embedded, [S, B, -1]);
    const encoded = this.#encoder.encode(shaped, stepMask(source));
    const states = drop(encoded.states);
    const own = Uint8Array.from({ length: B * S }, (_, i) => (i % S < lengths[Math.floor(i / S)]! ? 1 : 0));
    const memory: PointerMemory = {
      states,
      keys: this.decoder.attention.keys(states),
      words: tf.tensor2d(source.ids, [B, S], "int32"),
      ...(own.includes(0) && { allow: tf.tensor3d(own, [B, 1, S], "bool") }),
    };
    return { memory, state: this.decoder.start(encoded.initial, memory, this.covers(coverage)) };
  }

  /** The embeddings of words, `<unk>` for those outside of the vocabulary: ids [N] → [N, E]. */
  embed(ids: Int32Array): tf.Tensor2D {
    const known = ids.map((id) => (id < this.config.vocabulary ? id : UNKNOWN));
    return tf.gather(this.parameters.matrix("embedding"), tf.tensor1d(known, "int32"));
  }

  /** Scores of the next word of the vocabulary: [N, E] → [N, V]. */
  logits(attentional: tf.Tensor2D): tf.Tensor2D {
    const scores: tf.Tensor2D = tf.matMul(attentional, this.parameters.matrix("embedding"), false, true);
    return tf.add(scores, this.parameters.vector("output/bias"));
  }

  /** The loss with teacher forcing. Targets end with END; padding counts nothing. */
  loss(source: PaddedBatch, target: PaddedBatch, options: PointerLossOptions = {}): tf.Scalar {
    const { coverageWeight = 1 } = options;
    return tidy(() => {
      const { words, coverage } = this.losses(source, target, options);
      const loss: tf.Scalar = this.covers(options.coverage)
        ? tf.add(words, tf.mul(coverage, coverageWeight))
        : words;
      const weight = "attention/coverage";
      // With coverage off for a start, its weight has a gradient of 0: optimisers see the same names at every step.
      const isIdle = this.config.coverage && !this.covers(options.coverage);
      return isIdle ? tf.add(loss, tf.mul(tf.sum(this.parameters.vector(weight)), 0)) : loss;
    });
  }

  /** Both parts of the loss. The coverage loss is measured whether or not the score reads the coverage. */
  losses(source: PaddedBatch, target: PaddedBatch, options: PointerLossOptions = {}): PointerLosses {
    checkWords(target, "target");
    const { dropoutSeed } = options;
    return tidy(() => {
      const { rows: B, width: T, lengths } = target;
      const { memory, state: first } = this.encode(source, options);
      const drop = dropper(this.config.dropout, dropoutSeed === undefined ? undefined : dropoutSeed + 1);
      const asked = timeMajor(target);
      const inputs = new Int32Array(asked.length).fill(START, 0, B);
      inputs.set(asked.subarray(0, asked.length - B), B);
      const steps = unstackSteps(tf.reshape(drop(this.embed(inputs)), [T, B, -1]));
      const made = [];
      let state = first;
      for (const words of steps) {
        const step = this.decoder.step(words, state, memory, drop);
        made.push(step);
        state = step.state;
      }
      const gates = made.flatMap(({ gate }) => gate ?? []);
      const weights: tf.Tensor3D = tf.stack(made.map((step) => step.weights)) as tf.Tensor3D;
      const attentional: tf.Tensor2D = tf.reshape(tf.stack(made.map((step) => step.attentional)), [
        T * B,
        -1,
      ]);
      const logP = this.#logProbabilities(asked, { attentional, weights, gates, memory });
      const isWord = tf.notEqual(tf.tensor1d(asked, "int32"), PAD);
      const pieces = options.pieces ?? lengths.reduce((sum, n) => sum + n, 0);
      const mean = (x: tf.Tensor) => tf.div(tf.sum(tf.where(isWord, x, 0)), pieces) as tf.Scalar;
      return { words: mean(tf.neg(logP)), coverage: mean(tf.reshape(repeated(weights), [T * B])) };
    });
  }

  dispose(): void {
    this.parameters.dispose();
  }

  /** log P of the words that are asked for, steps first: [T·B]. */
  #logProbabilities(
    asked: Int32Array,
    {
      attentional,
      weights,
      gates,
      memory,
    }: { attentional: tf.Tensor2D; weights: tf.Tensor3D; gates: tf.Tensor1D[]; memory: PointerMemory },
  ): tf.Tensor1D {
    const { vocabulary: V, pointer } = this.config;
    const [T, B, S] = weights.shape;
    // Without a pointer the source's own words are out of reach as all others are.
    const labels = pointer ? asked : asked.map((id) => (id < V ? id : UNKNOWN));
    const counted = labels.map((id) => (id === PAD || id >= V ? -1 : id));
    const generated = tf.neg<tf.Tensor1D>(
      softmaxCrossEntropy(this.logits(attentional), tf.tensor1d(counted, "int32")),
    );
    if (!pointer) return generated;
    const holds = tf.equal(tf.expandDims(memory.words, 0), tf.tensor3d(asked, [T, B, 1], "int32"));
    const copied: tf.Tensor1D = tf.reshape(tf.sum(tf.where(holds, weights, tf.zeros([T, B, S])), 2), [T * B]);
    const known: tf.Tensor1D = tf.tensor1d(
      Uint8Array.from(counted, (id) => (id >= 0 ? 1 : 0)),
      "bool",
    );
    return logMixture({ gate: tf.reshape(tf.stack(gates), [T * B]), generated, known, copied });
  }
}

/** Σ_i min(a_ti, c_ti), c_t the sum of all rows before: weights [T, B, S] → [T, B]. */
function repeated(weights: tf.Tensor3D): tf.Tensor2D {
  const rows = unstackSteps(weights);
  let coverage: tf.Tensor2D = tf.zerosLike(rows[0]!);
  const sums = rows.map((row) => {
    const sum = tf.sum(tf.minimum(row, coverage), 1);
    coverage = tf.add(coverage, row);
    return sum;
  });
  return tf.stack(sums) as tf.Tensor2D;
}

/** Throws unless a batch has rows and its words are numbers from 0. */
function checkWords({ ids, rows, width }: PaddedBatch, name: string): void {
  const remedy = "encode it with the vocabulary of the model";
  if (rows * width === 0) {
    const fault = { op: OP, rule: `a ${name} must have a word`, got: `${rows} rows of ${width}` };
    throw new ShapeError("SHAPE", { ...fault, remedy });
  }
  const wrong = ids.find((id) => id < 0);
  if (wrong === undefined) return;
  throw new OptionError("OPTION", { op: OP, rule: `a ${name}'s words must be ≥ 0`, got: wrong, remedy });
}
