import {
  applyGate,
  checkAngles,
  checkCircuit,
  leave,
  type PauliObservable,
  type QuantumCircuit,
  type QuantumGate,
} from "./circuit.ts";
import { StateVector } from "./state-vector.ts";

/**
 * The gradient of a circuit's expectations by the adjoint method, simulated: one run forward, one backward.
 *
 *     E = Σ_k c_k ⟨ψ|O_k|ψ⟩,    |λ⟩ = Σ_k c_k O_k |ψ⟩,    ∂E/∂φ_g = Im ⟨λ_g|P_g|ψ_g⟩
 *
 * Symbols: O_k observables, c_k their cotangents, ψ_g and λ_g the two states after gate g, from which the gates are undone
 * one by one, P_g the Pauli matrix of rotation g. Shapes: angles [P], cotangents [K] → [P].
 * Conventions: exact, up to rounding in float64. An angle that several gates take gets the sum of theirs. It needs the
 * state itself, which no quantum computer gives: there `parameterShift` is what can be measured.
 * Cost: O(G·2ⁿ), whatever P and K. Paper: Jones & Gacon 2020, arxiv.org/abs/2009.02823.
 *
 * @throws OptionError OPTION, CONFLICT, SHAPE
 * @example
 * const gates = [{ gate: "rotate", axis: "y", qubit: 0, angle: 0 }];
 * const circuit = { qubits: 1, angles: 1, gates };
 * // ⟨Z⟩ = cos φ
 * adjointGradient(circuit, [Math.PI / 6], [{ axis: "z", qubit: 0 }], [1]); // [-0.5]
 */
export function adjointGradient(
  circuit: QuantumCircuit,
  angles: ArrayLike<number>,
  observables: readonly PauliObservable[],
  cotangents: ArrayLike<number>,
): Float64Array {
  checkCircuit("adjointGradient", circuit, observables);
  checkAngles("adjointGradient", circuit, angles);
  const gradient = new Float64Array(circuit.angles);
  addGradient(circuit, angles, observables, cotangents, gradient);
  return gradient;
}

/** Adds the adjoint gradient of what was checked. */
export function addGradient(
  circuit: QuantumCircuit,
  angles: ArrayLike<number>,
  observables: readonly PauliObservable[],
  cotangents: ArrayLike<number>,
  gradient: Float64Array,
): void {
  const state = leave(circuit, angles);
  const adjoint = new StateVector(circuit.qubits);
  adjoint.re[0] = 0;
  observables.forEach(({ axis, qubit }, k) => {
    const turned = state.copy().pauli(axis, qubit);
    for (let i = 0; i < adjoint.re.length; i++) {
      adjoint.re[i]! += cotangents[k]! * turned.re[i]!;
      adjoint.im[i]! += cotangents[k]! * turned.im[i]!;
    }
  });
  for (let g = circuit.gates.length - 1; g >= 0; g--) {
    const gate = circuit.gates[g]!;
    if (gate.gate === "rotate")
      gradient[gate.angle]! += adjoint.matrixElement(gate.axis, gate.qubit, state).im;
    for (const undone of [state, adjoint]) applyGate(undone, gate, angles, { sign: -1 });
  }
}

/**
 * The gradient of a circuit's expectations by the parameter-shift rule, simulated: what a quantum computer could measure.
 *
 *     ∂⟨O_k⟩/∂φ_p = Σ_g ½ (⟨O_k⟩ at φ_g + π/2  −  ⟨O_k⟩ at φ_g − π/2),    g the rotations by angle p
 *
 * Symbols: O_k observables, φ_p the angles. Shapes: angles [P] → rows [K] of [P].
 * Conventions: exact, and no difference quotient: the shift is a quarter of a turn. It equals `adjointGradient`.
 * Cost: two runs a rotation, O(G²·2ⁿ). Papers: Mitarai et al. 2018, arxiv.org/abs/1803.00745; Schuld et al. 2018,
 * arxiv.org/abs/1811.11184.
 *
 * @throws OptionError OPTION, CONFLICT, SHAPE
 * @example
 * const gates = [{ gate: "rotate", axis: "y", qubit: 0, angle: 0 }];
 * parameterShift({ qubits: 1, angles: 1, gates }, [Math.PI / 6], [{ axis: "z", qubit: 0 }])[0]; // [-0.5]
 */
export function parameterShift(
  circuit: QuantumCircuit,
  angles: ArrayLike<number>,
  observables: readonly PauliObservable[],
): Float64Array[] {
  checkCircuit("parameterShift", circuit, observables);
  checkAngles("parameterShift", circuit, angles);
  const rows = observables.map(() => new Float64Array(circuit.angles));
  for (const shifted of circuit.gates) {
    if (shifted.gate !== "rotate") continue;
    const [above, below] = [1, -1].map((side) =>
      shiftedState(circuit, angles, shifted, (side * Math.PI) / 2),
    );
    observables.forEach(({ axis, qubit }, k) => {
      rows[k]![shifted.angle]! += (above!.expectation(axis, qubit) - below!.expectation(axis, qubit)) / 2;
    });
  }
  return rows;
}

/** The state with one gate turned further. */
function shiftedState(
  { qubits, gates }: QuantumCircuit,
  angles: ArrayLike<number>,
  shifted: QuantumGate,
  turn: number,
) {
  const state = new StateVector(qubits);
  for (const gate of gates) applyGate(state, gate, angles, { turn: gate === shifted ? turn : 0 });
  return state;
}
