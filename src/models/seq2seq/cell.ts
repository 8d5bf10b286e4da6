import * as tf from "@tensorflow/tfjs-core";
import { gruCell } from "../../ops/gru-cell.ts";
import { gruSequence } from "../../ops/gru-sequence.ts";
import { lstmCell } from "../../ops/lstm-cell.ts";
import { lstmSequence } from "../../ops/lstm-sequence.ts";
import type { Parameters } from "../parameters.ts";

/** The state of a recurrent cell: [h] for a GRU, [h, c] for an LSTM. The first entry is its output. */
export type CellState = tf.Tensor2D[];

/**
 * One recurrent cell with its parameters: a GRU (Cho et al., arxiv.org/abs/1406.1078, reset gate after the
 * product) or an LSTM (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).
 *
 * The input's share of the gates does not depend on the state, so it is computed for all steps in one product.
 */
export class Cell {
  readonly kind: "gru" | "lstm";
  readonly name: string;
  readonly parameters: Parameters;

  constructor(kind: "gru" | "lstm", name: string, parameters: Parameters) {
    this.kind = kind;
    this.name = name;
    this.parameters = parameters;
  }

  /** x·W + b for every row of x [N, E] → [N, gates·H]. */
  inputGates(x: tf.Tensor2D): tf.Tensor2D {
    const a = this.parameters;
    return tf.add(tf.matMul(x, a.matrix(`${this.name}/input/kernel`)), a.vector(`${this.name}/input/bias`));
  }

  /** One step: input gates [B, gates·H] and a state → the next state. */
  step(inputGates: tf.Tensor2D, state: CellState): CellState {
    const hidden = this.parameters.matrix(`${this.name}/hidden/kernel`);
    const [h, c] = state;
    if (this.kind === "gru") {
      const bias = this.parameters.vector(`${this.name}/hidden/bias`);
      return [gruCell(inputGates, tf.add(tf.matMul(h, hidden), bias), h)];
    }
    return lstmCell(tf.add(inputGates, tf.matMul(h, hidden)), c, h);
  }

  /**
   * All steps from a zero state: input gates [T, B, gates·H], mask [T, B] → [outputs, memory], each [T, B, H]. The
   * memory is the state that is handed on: h of a GRU, c of an LSTM, since h = o ⊙ tanh(c) loses what o hid.
   */
  run(inputGates: tf.Tensor3D, mask: tf.Tensor2D, reverse: boolean): [tf.Tensor3D, tf.Tensor3D] {
    const hidden = this.parameters.matrix(`${this.name}/hidden/kernel`);
    const zero: tf.Tensor2D = tf.zeros([inputGates.shape[1], hidden.shape[0]]);
    if (this.kind === "lstm") return lstmSequence(inputGates, zero, zero, hidden, mask, { reverse });
    const bias = this.parameters.vector(`${this.name}/hidden/bias`);
    const states = gruSequence(inputGates, zero, hidden, bias, mask, { reverse });
    return [states, states];
  }
}
