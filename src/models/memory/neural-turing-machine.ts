import * as tf from "@tensorflow/tfjs-core";
import { eraseAndAdd, readSlots } from "../../attention/memory/memory-write.ts";
import { ntmAddressing, ntmHead } from "../../attention/memory/ntm-addressing.ts";
import { checkChoice, checkCount } from "../../core/check-options.ts";
import { OptionError } from "../../core/errors.ts";
import { outOfRange } from "../../core/faults.ts";
import { checkRank } from "../../core/shapes.ts";
import { checkTensors } from "../../ops/check.ts";
import { linear } from "../../ops/linear.ts";
import { lstmCell } from "../../ops/lstm-cell.ts";
import { tidy } from "../../ops/tidy.ts";
import { type ParameterSpecs, Parameters } from "../parameters.ts";

export interface NeuralTuringMachineConfig {
  /** I, numbers that come in at each step. */
  inputs: number;
  /** O, numbers that go out. */
  outputs: number;
  /** S, slots of the memory; the paper's N. */
  slots: number;
  /** D, numbers in a slot; the paper's M. */
  width: number;
  /** C, units of the controller. */
  hidden: number;
  /** What drives the heads: an LSTM, or a layer with tanh, which remembers nothing but what it reads. @default "lstm" */
  controller?: "lstm" | "feedForward";
  /** @default 1 */
  readHeads?: number;
  /** @default 1 */
  writeHeads?: number;
  /** K, shifts that a head can make in a step, odd: 3 are −1, 0 and 1. @default 3 */
  shifts?: number;
}

/** What the machine carries from a step to the next. */
export interface NeuralTuringMachineState {
  /** [B, S, D] */
  readonly memory: tf.Tensor3D;
  /** What the heads read at the last step, [B, R, D]. */
  readonly reads: tf.Tensor3D;
  /** Where they looked: R reading heads, then the writing ones, [B, R + W, S]. */
  readonly weights: tf.Tensor3D;
  /** The LSTM's state and cell, [B, C] each; none without one. */
  readonly hidden: readonly tf.Tensor2D[];
}

type FullConfig = Required<NeuralTuringMachineConfig>;

const OP = "NeuralTuringMachine";

/**
 * A Neural Turing Machine: a controller that reads and writes a memory with heads that it steers.
 *
 *     h_t = controller(x_t, r_(t−1))    w_t = ntmAddressing(M_(t−1), w_(t−1), ntmHead(W_a h_t))
 *     r_t = readSlots(M_(t−1), w_t)     M_t = eraseAndAdd(M_(t−1), w_t, σ(W_e h_t), tanh(W_v h_t))    y_t = W_y (h_t, r_t)
 *
 * Symbols: x inputs, h the controller's units, M the memory, w the weights of the heads over its slots, r what was read, y
 * logits. Shapes: inputs [T, B, I] → logits [T, B, O].
 * Conventions: all heads look at the memory of the step before, then it is written. The memory begins with zeros, every head
 * at slot 0. A capture keeps the weights of each step as a gate. Methods that return tensors leave them to the caller's
 * `tf.tidy`.
 * Paper: Graves, Wayne & Danihelka 2014, arxiv.org/abs/1410.5401.
 *
 * @example
 * const machine = new NeuralTuringMachine({ inputs: 4, outputs: 2, slots: 7, width: 5, hidden: 11 }, 1);
 * const { logits, weights } = machine.run(tf.zeros([3, 2, 4]));
 * logits.shape; // [3, 2, 2]
 * weights.shape; // [3, 2, 2, 7]
 * machine.dispose();
 */
export class NeuralTuringMachine {
  readonly config: FullConfig;
  readonly parameters: Parameters;

  /**
   * @param start a seed of the first values, or the values by name
   * @throws OptionError OPTION where a size is none
   */
  constructor(config: NeuralTuringMachineConfig, start: number | Readonly<Record<string, Float32Array>> = 0) {
    this.config = fullConfig(config);
    this.parameters = Parameters.start(OP, specsOf(this.config), start);
  }

  /** The state before the first step. */
  start(B: number): NeuralTuringMachineState {
    const { slots: S, width: D, hidden: C, controller, readHeads, writeHeads } = this.config;
    const H = readHeads + writeHeads;
    const first = tf.oneHot(tf.zeros([B, H], "int32"), S, 1, 0, "float32");
    return {
      memory: tf.zeros([B, S, D]),
      reads: tf.zeros([B, readHeads, D]),
      weights: tf.reshape(first, [B, H, S]),
      hidden: controller === "lstm" ? [tf.zeros([B, C]), tf.zeros([B, C])] : [],
    };
  }

  /**
   * One step: x [B, I] → logits [B, O], and the state after it.
   *
   * @throws ShapeError RANK, SHAPE
   */
  step(
    x: tf.Tensor2D,
    state: NeuralTuringMachineState,
  ): { logits: tf.Tensor2D; state: NeuralTuringMachineState } {
    const op = `${OP}.step`;
    checkRank(op, "x [B, I]", x, 2);
    const { inputs: I, slots: S, width: D, readHeads: R, writeHeads: W } = this.config;
    const B = x.shape[0];
    checkTensors(op, [
      { name: "x", tensor: x, letters: "[B, I]", shape: [B, I] },
      { name: "state.memory", tensor: state.memory, letters: "[B, S, D]", shape: [B, S, D] },
    ]);
    return tidy(() => {
      const given = tf.concat<tf.Tensor2D>([x, tf.reshape(state.reads, [B, R * D])], 1);
      const [h, ...cell] = this.#control(given, state.hidden);
      const told = this.#map("heads", h!);
      const wide = (R + W) * this.#headWidth;
      const [vector, erase, add] = tf.split(told, [wide, W * D, W * D], 1) as tf.Tensor2D[];
      const head = ntmHead(tf.reshape(vector!, [B, R + W, this.#headWidth]), D);
      const { weights } = ntmAddressing(state.memory, state.weights, head);
      const [reading, writing] = tf.split(weights, [R, W], 1) as tf.Tensor3D[];
      const reads = readSlots(state.memory, reading!);
      const perHead = (values: tf.Tensor): tf.Tensor3D => tf.reshape(values, [B, W, D]);
      const memory = eraseAndAdd(state.memory, writing!, perHead(tf.sigmoid(erase!)), perHead(tf.tanh(add!)));
      const logits = this.#map("output", tf.concat<tf.Tensor2D>([h!, tf.reshape(reads, [B, R * D])], 1));
      const hidden = cell.length > 0 ? [h!, ...cell] : [];
      return { logits, state: { memory, reads, weights, hidden } };
    });
  }

  /**
   * A sequence from the first step: inputs [T, B, I] → logits [T, B, O], and where the heads looked, weights
   * [T, B, R + W, S].
   *
   * @throws ShapeError RANK, SHAPE
   */
  run(inputs: tf.Tensor3D): { logits: tf.Tensor3D; weights: tf.Tensor4D } {
    const op = `${OP}.run`;
    checkRank(op, "inputs [T, B, I]", inputs, 3);
    const [T, B] = inputs.shape;
    const shape = [T, B, this.config.inputs];
    checkTensors(op, [{ name: "inputs", tensor: inputs, letters: "[T, B, I]", shape }]);
    return tidy(() => {
      const logits: tf.Tensor2D[] = [];
      const weights: tf.Tensor3D[] = [];
      let state = this.start(B);
      for (const x of tf.unstack(inputs) as tf.Tensor2D[]) {
        const next = this.step(x, state);
        state = next.state;
        logits.push(next.logits);
        weights.push(state.weights);
      }
      return { logits: tf.stack(logits) as tf.Tensor3D, weights: tf.stack(weights) as tf.Tensor4D };
    });
  }

  dispose(): void {
    this.parameters.dispose();
  }

  get #headWidth(): number {
    return headWidthOf(this.config);
  }

  #control(given: tf.Tensor2D, hidden: readonly tf.Tensor2D[]): tf.Tensor2D[] {
    const mapped = this.#map("controller", given);
    const [h, c] = hidden;
    if (!h || !c) return [tf.tanh(mapped)];
    const gates = tf.add<tf.Tensor2D>(mapped, tf.matMul(h, this.parameters.matrix("controller/hidden")));
    return lstmCell(gates, c, h);
  }

  #map(name: string, x: tf.Tensor2D): tf.Tensor2D {
    return linear(x, this.parameters.matrix(`${name}/weight`), this.parameters.vector(`${name}/bias`));
  }
}

const headWidthOf = ({ width: D, shifts: K }: FullConfig) => D + K + 3;

function fullConfig(config: NeuralTuringMachineConfig): FullConfig {
  const full: FullConfig = { controller: "lstm", readHeads: 1, writeHeads: 1, shifts: 3, ...config };
  for (const name of ["inputs", "outputs", "slots", "width", "hidden", "readHeads", "writeHeads"] as const)
    checkCount(OP, name, full[name]);
  checkCount(OP, "shifts", full.shifts, 1, full.slots);
  if (full.shifts % 2 === 0) {
    const fault = { op: OP, name: "shifts", rule: "an odd number", got: full.shifts };
    throw new OptionError("OPTION", outOfRange(fault));
  }
  checkChoice(OP, "controller", full.controller, ["lstm", "feedForward"]);
  return full;
}

function specsOf(config: FullConfig): ParameterSpecs {
  const { inputs: I, outputs: O, width: D, hidden: C, controller, readHeads: R, writeHeads: W } = config;
  const map = (name: string, into: number, out: number): ParameterSpecs => ({
    [`${name}/weight`]: { shape: [into, out], start: "glorot" },
    [`${name}/bias`]: { shape: [out], start: "zeros" },
  });
  const gates = controller === "lstm" ? 4 * C : C;
  return {
    ...map("controller", I + R * D, gates),
    ...(controller === "lstm" && { "controller/hidden": { shape: [C, gates], start: "glorot" as const } }),
    ...map("heads", C, (R + W) * headWidthOf(config) + 2 * W * D),
    ...map("output", C + R * D, O),
  };
}
