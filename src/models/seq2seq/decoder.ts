import * as tf from "@tensorflow/tfjs-core";
import type { Parameters } from "../parameters.ts";
import { Cell, type CellState } from "./cell.ts";
import type { Seq2SeqConfig } from "./config.ts";
import { type Memory, SourceAttention } from "./memory.ts";

/** Everything one step hands to the next. */
export type DecoderState = {
  cell: CellState;
  /** h̃_{t−1} [N, E], with input feeding. */
  feed?: tf.Tensor2D;
};

export interface DecoderStep {
  state: DecoderState;
  /** h̃_t [N, E]: what the next word is predicted from. */
  attentional: tf.Tensor2D;
  /** [N, S]: where this step looked. */
  weights: tf.Tensor2D;
}

type Drop = (x: tf.Tensor2D) => tf.Tensor2D;
type Unweighed = Omit<DecoderStep, "weights"> & Partial<DecoderStep>;

/**
 * The attentional decoder, one step at a time.
 *
 *     luong:     h_t = cell([y_{t−1}; h̃_{t−1}], h_{t−1}),   c_t = attend(h_t)
 *     bahdanau:  c_t = attend(h_{t−1}),   h_t = cell([y_{t−1}; c_t], h_{t−1})
 *     both:      h̃_t = tanh(W_c·[c_t; h_t] + b_c)
 *
 * Luong et al. (arxiv.org/abs/1508.04025) §3.1 and §3.3; Bahdanau et al. (arxiv.org/abs/1409.0473) §3.1, whose
 * maxout output layer is replaced by the tanh of Luong's.
 */
export class Decoder {
  readonly attention: SourceAttention;
  readonly #config: Seq2SeqConfig;
  readonly #parameters: Parameters;
  readonly #cell: Cell;

  constructor(config: Seq2SeqConfig, parameters: Parameters) {
    this.#config = config;
    this.#parameters = parameters;
    this.#cell = new Cell(config.cell, "decoder", parameters);
    this.attention = new SourceAttention(config, parameters);
  }

  /** The embedded words' share of the gates: [N, E] → [N, gates·D]. */
  inputGates(embedded: tf.Tensor2D): tf.Tensor2D {
    return this.#cell.inputGates(embedded);
  }

  start(initial: CellState): DecoderState {
    if (this.#config.style === "bahdanau" || !this.#config.inputFeeding) return { cell: initial };
    return { cell: initial, feed: tf.zeros([initial[0].shape[0], this.#config.embedding]) };
  }

  /** One step. */
  step(inputGates: tf.Tensor2D, state: DecoderState, memory: Memory): DecoderStep {
    return this.#advance(inputGates, state, memory, { wantsWeights: true }) as DecoderStep;
  }

  /** A step of training, where nobody asks for the weights. `drop` is applied to h̃_t. */
  trainingStep(
    inputGates: tf.Tensor2D,
    state: DecoderState,
    memory: Memory,
    drop: Drop,
  ): Omit<DecoderStep, "weights"> {
    return this.#advance(inputGates, state, memory, { wantsWeights: false, drop });
  }

  #advance(
    words: tf.Tensor2D,
    state: DecoderState,
    memory: Memory,
    options: { wantsWeights: boolean; drop?: Drop },
  ): Unweighed {
    return this.#config.style === "luong"
      ? this.#luong(words, state, memory, options)
      : this.#bahdanau(words, state, memory, options);
  }

  #luong(
    words: tf.Tensor2D,
    { cell, feed }: DecoderState,
    memory: Memory,
    { wantsWeights, drop }: { wantsWeights: boolean; drop?: Drop },
  ): Unweighed {
    const gates = feed
      ? tf.add(words, tf.matMul(feed, this.#parameters.matrix("decoder/fed/kernel")))
      : words;
    const next = this.#cell.step(gates as tf.Tensor2D, cell);
    const { context, ...looked } = this.attention.attend(next[0], memory, wantsWeights);
    const attentional = this.#combine(context, next[0], drop);
    return { state: { cell: next, ...(feed ? { feed: attentional } : {}) }, attentional, ...looked };
  }

  #bahdanau(
    words: tf.Tensor2D,
    { cell }: DecoderState,
    memory: Memory,
    { wantsWeights, drop }: { wantsWeights: boolean; drop?: Drop },
  ): Unweighed {
    const { context, ...looked } = this.attention.attend(cell[0], memory, wantsWeights);
    const gates = tf.add(
      words,
      tf.matMul(context, this.#parameters.matrix("decoder/fed/kernel")),
    ) as tf.Tensor2D;
    const next = this.#cell.step(gates, cell);
    return { state: { cell: next }, attentional: this.#combine(context, next[0], drop), ...looked };
  }

  #combine(context: tf.Tensor2D, h: tf.Tensor2D, drop?: Drop): tf.Tensor2D {
    const both = tf.concat([context, h], 1);
    const sum = tf.add(
      tf.matMul(both, this.#parameters.matrix("combine/kernel")),
      this.#parameters.vector("combine/bias"),
    );
    const attentional = tf.tanh(sum) as tf.Tensor2D;
    return drop ? drop(attentional) : attentional;
  }
}
