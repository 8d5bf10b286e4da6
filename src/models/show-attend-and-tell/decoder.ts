import * as tf from "@tensorflow/tfjs-core";
import { sampleCategorical } from "../../attention/discrete/categorical.ts";
import { bestKey } from "../../attention/normalize/best-key.ts";
import { dense } from "../maps.ts";
import type { Parameters } from "../parameters.ts";
import { type AttendedMemory, CoverageAttention } from "../pointer-generator/attention.ts";
import { Cell, type CellState } from "../seq2seq/cell.ts";
import type { ShowAttendAndTellConfig } from "./config.ts";

/** Everything one step hands to the next. */
export type TellerState = { cell: CellState };

/** How a step draws a place, in the training of hard attention. */
export interface PlaceDraw {
  seed: number;
  /** A number of its own for each step. */
  stream: number;
  /** [N, 1] bool: the rows that read the mean in place of a draw. */
  means: tf.Tensor2D;
}

type Change = (x: tf.Tensor2D) => tf.Tensor2D;

export interface TellerStep {
  state: TellerState;
  /** What predicts the word: [N, m]. */
  deep: tf.Tensor2D;
  /** α_t [N, L] */
  weights: tf.Tensor2D;
  /** β_t [N] */
  gate: tf.Tensor1D;
  /** The place that was drawn, int32 [N], −1 where the mean was read; undefined where nothing is drawn. */
  place?: tf.Tensor1D;
}

/**
 * The decoder of Show, Attend and Tell, one step at a time.
 *
 *     α_t = softmax_i(vᵀ tanh(W_a a_i + W_h h_{t−1} + b)),    β_t = σ(f_β(h_{t−1}))
 *     ẑ_t = β_t Σ_i α_ti a_i,    or of hard attention β_t a_s with s ~ Categorical(α_t)
 *     h_t, c_t = LSTM([E y_{t−1}; ẑ_t], h_{t−1}, c_{t−1}),    h_0 = tanh(f_h(ā)),    c_0 = tanh(f_c(ā)),    ā = 1/L Σ_i a_i
 *     p(y_t) = softmax(L_o tanh(E y_{t−1} + L_h h_t + L_z ẑ_t))
 *
 * Symbols: a_i annotation vectors, the features of place i; y words, E their embedding.
 * Conventions: the tanh before L_o is that of the authors' program (github.com/kelvinxu/arctic-captions); the formula has none.
 * Where nothing is drawn, hard attention reads the likeliest place.
 * Paper: Xu et al. 2015, §3.1.2, §4.1 and §4.2, arxiv.org/abs/1502.03044.
 */
export class TellerDecoder {
  readonly #config: ShowAttendAndTellConfig;
  readonly #parameters: Parameters;
  readonly #cell: Cell;
  readonly #attention: CoverageAttention;

  /** Where nothing is dropped, the LSTM is fed what it is fed in the mean. */
  readonly #expected: Change = (x) => {
    const { contextDropout } = this.#config;
    return contextDropout > 0 ? tf.mul(x, 1 - contextDropout) : x;
  };

  constructor(config: ShowAttendAndTellConfig, parameters: Parameters) {
    this.#config = config;
    this.#parameters = parameters;
    this.#cell = new Cell("lstm", "decoder", parameters);
    this.#attention = new CoverageAttention(parameters);
  }

  /** What every step reads of annotation vectors [B, L, D], and the state before the first word. */
  start(states: tf.Tensor3D): { memory: AttendedMemory; state: TellerState } {
    const mean: tf.Tensor2D = tf.mean(states, 1);
    const initial = (name: string): tf.Tensor2D => tf.tanh(dense(this.#parameters, `initial/${name}`, mean));
    return {
      memory: { states, keys: this.#attention.keys(states) },
      state: { cell: [initial("output"), initial("memory")] },
    };
  }

  /**
   * One step from embedded words [N, m]; `drop` is applied to what predicts the word, `feed` to what the LSTM is fed of what
   * was read, which by default is the mean of what it is fed in training.
   */
  step(
    words: tf.Tensor2D,
    { cell }: TellerState,
    memory: AttendedMemory,
    { draw, drop = (x) => x, feed = this.#expected }: { draw?: PlaceDraw; drop?: Change; feed?: Change } = {},
  ): TellerStep {
    const parameters = this.#parameters;
    const { context: mean, weights } = this.#attention.attend(cell[0]!, memory);
    const { read, place } = this.#config.kind === "soft" ? { read: mean } : look(memory, mean, weights, draw);
    const gate = tf.sigmoid(dense(parameters, "gate", cell[0]!));
    const context: tf.Tensor2D = tf.mul(gate, read);
    const fed: tf.Tensor2D = tf.matMul(feed(context), parameters.matrix("decoder/fed/kernel"));
    const next = this.#cell.step(tf.add<tf.Tensor2D>(this.#cell.inputGates(words), fed), cell);
    const parts = [
      words,
      tf.matMul(next[0]!, parameters.matrix("deep/state/kernel")),
      tf.matMul(context, parameters.matrix("deep/context/kernel")),
    ];
    const deep = drop(tf.tanh(tf.addN(parts)) as tf.Tensor2D);
    return { state: { cell: next }, deep, weights, gate: tf.reshape(gate, [-1]), ...(place && { place }) };
  }
}

/** What hard attention reads [N, D]: one annotation vector, or the mean in the rows that are to. */
function look({ states }: AttendedMemory, mean: tf.Tensor2D, weights: tf.Tensor2D, draw?: PlaceDraw) {
  const [B, L, D] = states.shape;
  const N = weights.shape[0];
  const drawn = draw ? sampleCategorical(weights, draw) : bestKey(weights, 0);
  const first = Int32Array.from({ length: N }, (_, n) => Math.floor((n * B) / N) * L);
  const rows = tf.add<tf.Tensor1D>(tf.tensor1d(first, "int32"), tf.maximum(drawn, tf.scalar(0, "int32")));
  const one: tf.Tensor2D = tf.gather(tf.reshape(states, [B * L, D]), tf.cast(rows, "int32"));
  if (!draw) return { read: one };
  const means: tf.Tensor1D = tf.reshape(draw.means, [N]);
  const none = tf.fill<tf.Rank.R1>([N], -1, "int32");
  const place = tf.where(means, none, drawn) as tf.Tensor1D;
  return { read: tf.where(draw.means, mean, one) as tf.Tensor2D, place };
}
