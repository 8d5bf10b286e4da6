import * as tf from "@tensorflow/tfjs-core";
import type { Parameters } from "../parameters.ts";
import { Cell, type CellState } from "./cell.ts";
import type { Seq2SeqConfig } from "./config.ts";

/** What the encoder hands to the decoder. */
export interface Encoded {
  /** Hidden states of both directions at every source position, [B, S, 2H]; keys and values of the attention. */
  states: tf.Tensor3D;
  /** The decoder's first state. */
  initial: CellState;
}

/**
 * A bidirectional recurrent encoder (Bahdanau et al., arxiv.org/abs/1409.0473, §3.2) over padded sources:
 *
 *     states[:, s] = [h→_s ; h←_s],    initial h = tanh(W·[h→_S ; h←_1] + b)
 *
 * An LSTM hands over its memory cells: [h ; c] = W·[c→_S ; c←_1] + b, with tanh on h.
 *
 * Padding stands after the source. The mask keeps a state unchanged there, so h→_S is the state after the last real
 * piece and the backward direction starts from zero at it.
 */
export class Encoder {
  readonly #cell: Seq2SeqConfig["cell"];
  readonly #parameters: Parameters;
  readonly #forward: Cell;
  readonly #backward: Cell;

  constructor({ cell }: Pick<Seq2SeqConfig, "cell">, parameters: Parameters) {
    this.#cell = cell;
    this.#parameters = parameters;
    this.#forward = new Cell(cell, "encoder/forward", parameters);
    this.#backward = new Cell(cell, "encoder/backward", parameters);
  }

  /** Embedded sources [S, B, E] (time first) and mask [S, B] → states and the decoder's first state. */
  encode(embedded: tf.Tensor3D, mask: tf.Tensor2D): Encoded {
    const forward = this.#run(this.#forward, embedded, mask, false);
    const backward = this.#run(this.#backward, embedded, mask, true);
    const states = tf.transpose(tf.concat([forward.outputs, backward.outputs], 2), [1, 0, 2]);
    return { states: states as tf.Tensor3D, initial: this.#bridge(forward.last, backward.last) };
  }

  #run(cell: Cell, embedded: tf.Tensor3D, mask: tf.Tensor2D, reverse: boolean) {
    const [S, B, E] = embedded.shape;
    const gates = tf.reshape(cell.inputGates(tf.reshape(embedded, [S * B, E])), [S, B, -1]) as tf.Tensor3D;
    const [outputs, memory] = cell.run(gates, mask, reverse);
    const last = tf.squeeze(tf.slice(memory, [reverse ? 0 : S - 1, 0, 0], [1, B, -1]), [0]) as tf.Tensor2D;
    return { outputs, last };
  }

  #bridge(forward: tf.Tensor2D, backward: tf.Tensor2D): CellState {
    const from = tf.concat([forward, backward], 1);
    const projected = tf.add(
      tf.matMul(from, this.#parameters.matrix("bridge/kernel")),
      this.#parameters.vector("bridge/bias"),
    );
    if (this.#cell === "gru") return [tf.tanh(projected) as tf.Tensor2D];
    const [h, c] = tf.split(projected, 2, 1) as tf.Tensor2D[];
    return [tf.tanh(h), c];
  }
}
