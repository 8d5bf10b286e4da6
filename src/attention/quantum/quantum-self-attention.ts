import * as tf from "@tensorflow/tfjs-core";
import { checkCount } from "../../core/check-options.ts";
import { ShapeError } from "../../core/errors.ts";
import { checkRank } from "../../core/shapes.ts";
import { checkTensors } from "../../ops/check.ts";
import { type Asked, tidyAsked } from "../../ops/tidy.ts";
import { l2Score } from "../score/l2.ts";
import { type AttendMask, attend } from "../sequence/attend.ts";
import { allPaulis, entanglingAnsatz, evenSuperposition, followedBy } from "./ansatz.ts";
import type { PauliObservable, QuantumCircuit } from "./circuit.ts";
import { measureCircuits } from "./measure-circuits.ts";
import { checkQubits } from "./state-vector.ts";

/** The angles of the three circuits, all [n·(depth + 2)]. */
export interface QuantumSelfAttentionParameters {
  query: tf.Tensor1D;
  key: tf.Tensor1D;
  value: tf.Tensor1D;
}

export interface QuantumSelfAttentionOptions {
  /** Layers of each of the three circuits. @default 1 */
  depth?: number;
  /** A bool tensor means `{ allow }`. @default everything is visible */
  mask?: tf.Tensor | AttendMask;
  /** Return the weights [B, T, T]. @default false */
  weights?: boolean;
}

export type QuantumSelfAttentionResult<O> = { output: tf.Tensor3D } & Asked<O, "weights", tf.Tensor3D>;

/** Layers of the circuit that turns a word into a state; its n·3 angles are the word. */
const ENCODING_DEPTH = 1;

/**
 * Quantum self-attention, simulated: words are states of qubits, and queries, keys and values what circuits measure of them.
 *
 *     |ψ_s⟩ = U(x_s) H^{⊗n} |0…0⟩
 *     ⟨Z_q⟩_s = ⟨ψ_s|U(θ_q)† Z₀ U(θ_q)|ψ_s⟩,    ⟨Z_k⟩_s likewise,    o_s = [⟨ψ_s|U(θ_v)† P_j U(θ_v)|ψ_s⟩]_j
 *     α_sj = exp(−(⟨Z_q⟩_s − ⟨Z_k⟩_j)²) / Σ_i exp(−(⟨Z_q⟩_s − ⟨Z_k⟩_i)²),    output_s = Σ_j α_sj o_j
 *
 * Symbols: x_s the angles of a word, U the circuit of `entanglingAnsatz`, θ_q, θ_k, θ_v learned angles, Z₀ the Pauli matrix
 * Z of qubit 0, P_j the 3n matrices X, Y and Z of each qubit, n qubits.
 * Shapes: x [B, T, 3n], θ_q, θ_k, θ_v [n·(depth + 2)] → output [B, T, 3n], weights α [B, T, T].
 * Conventions: simulated on state vectors of at most 8 qubits, exactly and without noise; nothing here is a measurement,
 * and no speed-up over other attention is claimed. Query and key are one number each, so a key is near or far and its weight at most e⁴
 * times that of another. The paper adds x_s to the output; that is left to the caller. Without positions it is equivariant.
 * Masks are those of `attend`: `true` means attend, a row that sees nothing gives 0, a window includes its own position.
 * NaN in hidden places leaks nowhere. Gradients reach x and all angles, by the adjoint method of `measureCircuits`.
 * Cost: O(B·T·n·2ⁿ·depth) for the circuits, O(B·T²·n) for the rest. Paper: Li, Zhao & Wang 2022 (QSANN),
 * arxiv.org/abs/2205.05625.
 *
 * @throws ShapeError RANK, SHAPE when the width is not 3n or angles are missing · OptionError OPTION for more than 8 qubits
 *   or a bad depth · and what `attend` throws for its mask
 * @draws
 * const angles = tf.mul(tf.reshape(tf.range(0, 12), [1, 12, 1]), tf.tensor3d([[[0.3, -0.2, 0.1, 0.4, 0.2, -0.3]]]));
 * const [query, key, value] = [1.6, 0.2, 0].map((angle) => tf.fill([6], angle));
 * const { weights } = quantumSelfAttention(angles, { query, key, value }, { weights: true });
 * return weights;
 * @example
 * const x = tf.randomNormal([2, 5, 6], 0, 1, "float32", 1); // two qubits
 * const [query, key, value] = [2, 3, 4].map((seed) => tf.randomNormal([6], 0, 1, "float32", seed));
 * const { output, weights } = quantumSelfAttention(x, { query, key, value }, { weights: true });
 * output.shape; // [2, 5, 6]
 * weights.shape; // [2, 5, 5]
 */
export function quantumSelfAttention<const O extends QuantumSelfAttentionOptions>(
  x: tf.Tensor3D,
  { query, key, value }: QuantumSelfAttentionParameters,
  options: O = {} as O,
): QuantumSelfAttentionResult<O> {
  const op = "quantumSelfAttention";
  const { depth = 1, mask = {}, weights: wanted = false }: QuantumSelfAttentionOptions = options;
  checkRank(op, "x [B, T, 3n]", x, 3);
  const [B, T, C] = x.shape;
  const qubits = qubitsOf(op, C);
  checkCount(op, "depth", depth, 0);
  const P = qubits * (depth + 2);
  checkTensors(op, [
    { name: "x", tensor: x, letters: "[B, T, 3n]", shape: [B, T, C] },
    ...Object.entries({ query, key, value }).map(([name, tensor]) => ({
      name,
      tensor,
      letters: "[n·(depth + 2)]",
      shape: [P],
    })),
  ]);
  const encoding = followedBy(evenSuperposition(qubits), entanglingAnsatz(qubits, ENCODING_DEPTH));
  const circuit = followedBy(encoding, entanglingAnsatz(qubits, depth));
  return tidyAsked((): QuantumSelfAttentionResult<QuantumSelfAttentionOptions> => {
    const words = tf.reshape<tf.Rank.R2>(x, [B * T, C]);
    const measured = (angles: tf.Tensor1D, observables: readonly PauliObservable[]) =>
      tf.reshape<tf.Rank.R3>(measureWords(circuit, words, angles, observables), [B, T, observables.length]);
    const z0: PauliObservable[] = [{ axis: "z", qubit: 0 }];
    return attend({
      queries: measured(query, z0),
      keys: measured(key, z0),
      values: measured(value, allPaulis(qubits)),
      score: l2Score({ scale: 1 }),
      mask,
      weights: wanted,
    });
  });
}

/** Every word through the same circuit: its own angles first, then those that all share. */
function measureWords(
  circuit: QuantumCircuit,
  words: tf.Tensor2D,
  angles: tf.Tensor1D,
  observables: readonly PauliObservable[],
): tf.Tensor2D {
  const row = tf.reshape<tf.Rank.R2>(angles, [1, angles.size]);
  const shared = tf.tile(row, [words.shape[0], 1]);
  return measureCircuits(circuit, tf.concat([words, shared], 1), observables);
}

/** n of a width of 3n. */
function qubitsOf(op: string, C: number): number {
  if (C > 0 && C % 3 === 0) {
    checkQubits(op, C / 3);
    return C / 3;
  }
  throw new ShapeError("SHAPE", {
    op,
    rule: "x [B, T, 3n] must have three angles for each qubit",
    got: `a width of ${C}`,
    remedy: "map the words to a multiple of 3 first",
  });
}
