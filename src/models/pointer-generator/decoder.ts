import * as tf from "@tensorflow/tfjs-core";
import { linear } from "../../ops/linear.ts";
import type { Parameters } from "../parameters.ts";
import { Cell, type CellState } from "../seq2seq/cell.ts";
import { CoverageAttention, type PointerMemory } from "./attention.ts";
import type { PointerGeneratorConfig } from "./config.ts";

/** Everything one step hands to the next. */
export type PointerState = {
  cell: CellState;
  /** h*_{t−1} [N, H] */
  context: tf.Tensor2D;
  /** c_t [N, S], where it is read. */
  coverage?: tf.Tensor2D;
};

export interface PointerStep {
  state: PointerState;
  /** V[s_t; h*_t] + b [N, E]: what P_vocab is made from. */
  attentional: tf.Tensor2D;
  /** a_t [N, S]: where this step looked. */
  weights: tf.Tensor2D;
  /** z_t [N], p_gen = σ(z_t); undefined for a model that cannot copy. */
  gate?: tf.Tensor1D;
}

/**
 * The decoder of a pointer-generator, one step at a time.
 *
 *     s_t = cell([x_t; h*_{t−1}], s_{t−1}),    a_t, h*_t = attend(s_t, c_t),    c_{t+1} = c_t + a_t
 *     p_gen = σ(w_hᵀ h*_t + w_sᵀ s_t + w_xᵀ x_t + b),    P_vocab = softmax(V′(V[s_t; h*_t] + b) + b′)
 *
 * x_t embeds the word before; h*_{t−1} joins it with `inputFeeding`, as in the authors' program (github.com/abisee/pointer-generator).
 * V′ is the embedding. Of an LSTM s_t is the output h, where that program also reads the memory cell.
 * Paper: See, Liu & Manning 2017, §2.1 to §2.3, arxiv.org/abs/1704.04368.
 */
export class PointerDecoder {
  readonly attention: CoverageAttention;
  readonly #parameters: Parameters;
  readonly #cell: Cell;
  readonly #feeds: boolean;

  constructor(
    { cell, inputFeeding }: Pick<PointerGeneratorConfig, "cell" | "inputFeeding">,
    parameters: Parameters,
  ) {
    this.#parameters = parameters;
    this.#cell = new Cell(cell, "decoder", parameters);
    this.#feeds = inputFeeding;
    this.attention = new CoverageAttention(parameters);
  }

  /** The first state of sources [B, S]. */
  start(initial: CellState, memory: PointerMemory, covers: boolean): PointerState {
    const [B, S, H] = memory.states.shape;
    const context: tf.Tensor2D = tf.zeros([B, H]);
    return { cell: initial, context, ...(covers && { coverage: tf.zeros<tf.Rank.R2>([B, S]) }) };
  }

  /** One step from embedded words [N, E]; `drop` is applied to what predicts the word. */
  step(
    words: tf.Tensor2D,
    { cell, context: fed, coverage }: PointerState,
    memory: PointerMemory,
    drop: (x: tf.Tensor2D) => tf.Tensor2D = (x) => x,
  ): PointerStep {
    const parameters = this.#parameters;
    const own = this.#cell.inputGates(words);
    const gates = this.#feeds
      ? tf.add<tf.Tensor2D>(own, tf.matMul(fed, parameters.matrix("decoder/fed/kernel")))
      : own;
    const next = this.#cell.step(gates, cell);
    const { context, weights } = this.attention.attend(next[0]!, memory, coverage);
    const both: tf.Tensor2D = tf.concat([context, next[0]!], 1);
    const attentional = linear(both, parameters.matrix("combine/kernel"), parameters.vector("combine/bias"));
    const state: PointerState = {
      cell: next,
      context,
      ...(coverage && { coverage: tf.add<tf.Tensor2D>(coverage, weights) }),
    };
    return { state, attentional: drop(attentional), weights, ...this.#gate(both, words) };
  }

  #gate(both: tf.Tensor2D, words: tf.Tensor2D): Pick<PointerStep, "gate"> {
    if (!this.#parameters.has("pointer/kernel")) return {};
    const kernel = this.#parameters.matrix("pointer/kernel");
    const gate = linear(tf.concat([both, words], 1), kernel, this.#parameters.vector("pointer/bias"));
    return { gate: tf.reshape(gate, [-1]) };
  }
}
