import { OptionError } from "../../core/errors.ts";
import { wrongCount } from "../../core/faults.ts";
import { checkQubit, checkQubits, checkTwo, type PauliAxis, StateVector } from "./state-vector.ts";

/** One gate; a rotation takes its angle from a list, by its place there. */
export type QuantumGate =
  | { readonly gate: "rotate"; readonly axis: PauliAxis; readonly qubit: number; readonly angle: number }
  | { readonly gate: "hadamard"; readonly qubit: number }
  | { readonly gate: "cnot"; readonly control: number; readonly target: number }
  | { readonly gate: "cz"; readonly control: number; readonly target: number };

/** Gates on a register that begins as |0…0⟩, one after the other. */
export interface QuantumCircuit {
  /** From 1 to 8. */
  readonly qubits: number;
  /** P: how many angles it takes. */
  readonly angles: number;
  readonly gates: readonly QuantumGate[];
}

/** A Pauli matrix on one qubit. */
export interface PauliObservable {
  readonly axis: PauliAxis;
  readonly qubit: number;
}

/** @throws OptionError OPTION, CONFLICT unless every gate and observable is of this register and of these angles */
export function checkCircuit(
  op: string,
  { qubits, angles, gates }: QuantumCircuit,
  observables: readonly PauliObservable[] = [],
): void {
  checkQubits(op, qubits);
  for (const gate of gates) {
    if (gate.gate === "cnot" || gate.gate === "cz") {
      checkTwo(op, gate.control, gate.target);
      checkQubit(op, qubits, gate.control);
      checkQubit(op, qubits, gate.target);
    } else checkQubit(op, qubits, gate.qubit);
    if (gate.gate !== "rotate") continue;
    if (Number.isInteger(gate.angle) && gate.angle >= 0 && gate.angle < angles) continue;
    throw new OptionError("OPTION", {
      op,
      rule: `a rotation must take one of the circuit's ${angles} angles, by a number from 0`,
      got: gate.angle,
      remedy: "give the circuit more angles",
    });
  }
  for (const { qubit } of observables) checkQubit(op, qubits, qubit);
}

/** Applies a gate, or with `sign` −1 undoes it; `turn` is added to the angle of a rotation. */
export function applyGate(
  state: StateVector,
  gate: QuantumGate,
  angles: ArrayLike<number>,
  { sign = 1, turn = 0 } = {},
): StateVector {
  if (gate.gate === "rotate") return state.rotate(gate.axis, gate.qubit, sign * (angles[gate.angle]! + turn));
  if (gate.gate === "hadamard") return state.hadamard(gate.qubit);
  return state[gate.gate](gate.control, gate.target);
}

/**
 * Runs a circuit, simulated: the state that it leaves the register in.
 *
 *     |ψ⟩ = U_G … U_2 U_1 |0…0⟩
 *
 * Symbols: U_g the gates in their order. Shapes: angles [P] → 2ⁿ amplitudes.
 * Conventions: rotations are exp(−iφP/2). Angles may be any number; one that is not finite makes the state NaN.
 * Cost: O(G·2ⁿ). Source: Nielsen & Chuang 2010, §4.
 *
 * @throws OptionError OPTION, CONFLICT for a gate that the register has not, SHAPE for another number of angles
 * @example
 * const gates = [{ gate: "rotate", axis: "y", qubit: 0, angle: 0 }];
 * const state = runCircuit({ qubits: 1, angles: 1, gates }, [Math.PI / 3]);
 * state.expectation("z", 0); // 0.5
 */
export function runCircuit(circuit: QuantumCircuit, angles: ArrayLike<number>): StateVector {
  checkCircuit("runCircuit", circuit);
  checkAngles("runCircuit", circuit, angles);
  return leave(circuit, angles);
}

/** `runCircuit` of what was checked. */
export function leave({ qubits, gates }: QuantumCircuit, angles: ArrayLike<number>): StateVector {
  const state = new StateVector(qubits);
  for (const gate of gates) applyGate(state, gate, angles);
  return state;
}

/** @throws OptionError SHAPE unless there is an angle for each place */
export function checkAngles(op: string, circuit: QuantumCircuit, { length }: ArrayLike<number>): void {
  if (length === circuit.angles) return;
  const given = { op, name: "angles", letters: "P", expected: circuit.angles, got: length };
  throw new OptionError("SHAPE", wrongCount(given));
}
