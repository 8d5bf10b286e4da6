import * as tf from "@tensorflow/tfjs-core";
import { onceDifferentiable } from "../../ops/attention/guard.ts";
import { checkRank, checkTensors } from "../../ops/check.ts";
import { checkCircuit, leave, type PauliObservable, type QuantumCircuit } from "./circuit.ts";
import { addGradient } from "./circuit-gradients.ts";

/**
 * Expectations of many simulated circuits, differentiable: each row of angles is a run of one.
 *
 *     out_rk = ⟨ψ(φ_r)|O_k|ψ(φ_r)⟩
 *
 * Symbols: φ_r a row of angles, ψ the state that the circuit leaves, O_k observables. Shapes: angles [R, P] → [R, K].
 * Conventions: states are in float64, what comes in and out is float32. The gradient is that of `adjointGradient`, and a
 * row whose cotangents are all 0 is left out of it, whatever stands there. It runs on the processor, whatever the backend:
 * simulated, one row after the other. Differentiable once.
 * Cost: O(R·G·2ⁿ), about three times that with gradients. Paper: Li, Zhao & Wang 2022 (QSANN),
 * arxiv.org/abs/2205.05625.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION, CONFLICT for a gate or an observable that the register has not
 * @draws
 * const sweep = tf.linspace(0, 2 * Math.PI, 24);
 * const angles = tf.concat([tf.reshape(sweep, [24, 1]), tf.fill([24, 11], 0.4)], 1);
 * const observables = ["x", "y", "z"].flatMap((axis) => [0, 1, 2, 3].map((qubit) => ({ axis, qubit })));
 * return tf.transpose(measureCircuits(entanglingAnsatz(4), angles, observables));
 * @example
 * const gates = [{ gate: "rotate", axis: "y", qubit: 0, angle: 0 }];
 * const angles = tf.tensor2d([[0], [Math.PI / 3]]);
 * measureCircuits({ qubits: 1, angles: 1, gates }, angles, [{ axis: "z", qubit: 0 }]); // [[1], [0.5]]
 */
export function measureCircuits(
  circuit: QuantumCircuit,
  angles: tf.Tensor2D,
  observables: readonly PauliObservable[],
): tf.Tensor2D {
  const op = "measureCircuits";
  checkCircuit(op, circuit, observables);
  checkRank(op, "angles [R, P]", angles, 2);
  const [R] = angles.shape;
  const { angles: P } = circuit;
  const K = observables.length;
  checkTensors(op, [{ name: "angles", tensor: angles, letters: "[R, P]", shape: [R, P] }]);
  return tf.tidy(() => {
    const measure = tf.customGrad((given, save) => {
      (save as tf.GradSaveFunc)([given as tf.Tensor]);
      const rows = (given as tf.Tensor).dataSync();
      const out = new Float32Array(R * K);
      for (let r = 0; r < R; r++) {
        const state = leave(circuit, rows.subarray(r * P, (r + 1) * P));
        observables.forEach(({ axis, qubit }, k) => {
          out[r * K + k] = state.expectation(axis, qubit);
        });
      }
      const gradFunc = (dout: tf.Tensor, [saved]: tf.Tensor[]) => {
        const [rows, cotangents] = [saved!.dataSync(), dout.dataSync()];
        const dangles = new Float64Array(R * P);
        for (let r = 0; r < R; r++) {
          const own = cotangents.subarray(r * K, (r + 1) * K);
          if (own.every((c) => c === 0)) continue;
          const gradient = dangles.subarray(r * P, (r + 1) * P);
          addGradient(circuit, rows.subarray(r * P, (r + 1) * P), observables, own, gradient);
        }
        return tf.tensor2d(Float32Array.from(dangles), [R, P]);
      };
      return { value: tf.tensor2d(out, [R, K]), gradFunc };
    });
    // The guard stands before the circuits: what they hand back is made of numbers, which no tape leads through.
    return measure(onceDifferentiable(op, angles)) as tf.Tensor2D;
  });
}
