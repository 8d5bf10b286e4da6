import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import {
  NeuralTuringMachine,
  type NeuralTuringMachineConfig,
} from "../../src/models/memory/neural-turing-machine.ts";
import { descend, prepare } from "../descend.ts";

export interface CopyOptions {
  controller: NeuralTuringMachineConfig["controller"];
  /** Optimiser steps. */
  steps: number;
  /** Of the parameters and the sequences. @default 1 */
  seed?: number;
  onProgress?: (share: number) => void;
}

export interface CopyResult {
  /** The share of wrong bits in new sequences of one to ten vectors, the lengths of training. */
  error10: number;
  /** Of twenty vectors, twice the longest of training. */
  error20: number;
  /** How far a head's weights, of all steps and heads, are from a sum of 1 at most. */
  leak: number;
}

/** Bits of a vector; the input has one more, which says that the copy is to be written now. */
const BITS = 8;
const LONGEST = 10;
const BATCH = 16;
/** Sequences of each length that the error is measured on. */
const HELD_OUT = 50;
const STREAM = { training: 2, heldOut: 3 } as const;
const MACHINE = { inputs: BITS + 1, outputs: BITS, slots: 32, width: 10, hidden: 64 } as const;

/** Random vectors, then as many steps of silence in which they are to be written in order. */
function drawSequences(random: RandomStream, L: number, B: number) {
  const steps = new Float32Array(2 * L * B * (BITS + 1));
  const bits = Float32Array.from({ length: L * B * BITS }, () => random.integer(2));
  for (let row = 0; row < 2 * L * B; row++) {
    const at = row * (BITS + 1);
    if (row < L * B) steps.set(bits.subarray(row * BITS, (row + 1) * BITS), at);
    else steps[at + BITS] = 1;
  }
  return { inputs: tf.tensor3d(steps, [2 * L, B, BITS + 1]), bits: tf.tensor3d(bits, [L, B, BITS]) };
}

/** The logits of the second half, in which the copy is written, and where the heads looked. */
function write(machine: NeuralTuringMachine, inputs: tf.Tensor3D) {
  const { logits, weights } = machine.run(inputs);
  const [T, B] = inputs.shape;
  return { logits: tf.slice(logits, [T / 2, 0, 0], [T / 2, B, BITS]), weights };
}

/** The share of bits on the wrong side of 0, and the leak of the weights. */
function measure(machine: NeuralTuringMachine, lengths: readonly number[], seed: number) {
  let [wrong, all, leak] = [0, 0, 0];
  const random = new RandomStream(seed, STREAM.heldOut);
  for (const L of lengths) {
    const { inputs, bits } = drawSequences(random, L, HELD_OUT);
    const { logits, weights } = write(machine, inputs);
    const written = tf.cast(tf.greater(logits, 0), "float32");
    wrong += tf.sum(tf.abs(tf.sub(written, bits))).dataSync()[0]!;
    all += bits.size;
    leak = Math.max(leak, tf.max(tf.abs(tf.sub(tf.sum(weights, -1), 1))).dataSync()[0]!);
  }
  return { error: wrong / all, leak };
}

/**
 * Trains a Neural Turing Machine to copy one to ten vectors of eight bits, and measures it on such and on twenty. The same
 * options give the same metrics.
 */
export async function trainCopy(options: CopyOptions): Promise<CopyResult> {
  const { controller = "lstm", steps, seed = 1, onProgress } = options;
  await prepare();
  const machine = new NeuralTuringMachine({ ...MACHINE, controller }, seed);
  const random = new RandomStream(seed, STREAM.training);
  const loss = () => {
    const { inputs, bits } = drawSequences(random, 1 + random.integer(LONGEST), BATCH);
    return tf.losses.sigmoidCrossEntropy(bits, write(machine, inputs).logits) as tf.Scalar;
  };
  try {
    await descend(machine.parameters.variables, loss, {
      steps,
      learningRate: 0.003,
      clipNorm: 10,
      onProgress,
    });
    return tf.tidy(() => {
      const trained = measure(
        machine,
        Array.from({ length: LONGEST }, (_, n) => n + 1),
        seed,
      );
      const twice = measure(machine, [2 * LONGEST], seed);
      return { error10: trained.error, error20: twice.error, leak: Math.max(trained.leak, twice.leak) };
    });
  } finally {
    machine.dispose();
  }
}
