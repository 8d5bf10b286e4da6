import { checkCount } from "../../core/check-options.ts";
import type { PauliObservable, QuantumCircuit, QuantumGate } from "./circuit.ts";
import { checkQubits } from "./state-vector.ts";

/**
 * The entangling circuit of QSANN, as gates: rotations of every qubit, then layers of CNOTs in a ring and rotations.
 *
 *     U(θ) = Π_{l = 1 … L} [R_Y(θ_{n(1+l)+q}) on each qubit q · CNOT ring] · R_Y(θ_{n+q}) R_X(θ_q) on each qubit q
 *
 * Symbols: n qubits, L the depth, θ its n·(L + 2) angles. Shapes: a circuit whose `angles` is n·(L + 2).
 * Conventions: read from right to left, as operators apply. The ring goes from qubit q to q + 1, and from the last to the
 * first; a single qubit has none, and two qubits have both directions. Angles are in the order of the formula.
 * Cost: n·(2L + 2) gates. Paper: Li, Zhao & Wang 2022 (QSANN), arxiv.org/abs/2205.05625.
 *
 * @throws OptionError OPTION
 * @example
 * entanglingAnsatz(4, 1).angles; // 12
 */
export function entanglingAnsatz(qubits: number, depth = 1): QuantumCircuit {
  const op = "entanglingAnsatz";
  checkQubits(op, qubits);
  checkCount(op, "depth", depth, 0);
  const all = Array.from({ length: qubits }, (_, qubit) => qubit);
  const column = (axis: "x" | "y", from: number): QuantumGate[] =>
    all.map((qubit) => ({ gate: "rotate", axis, qubit, angle: from + qubit }));
  const ring: QuantumGate[] =
    qubits === 1 ? [] : all.map((control) => ({ gate: "cnot", control, target: (control + 1) % qubits }));
  const layers = Array.from({ length: depth }, (_, l) => [...ring, ...column("y", (2 + l) * qubits)]);
  return {
    qubits,
    angles: qubits * (depth + 2),
    gates: [...column("x", 0), ...column("y", qubits), ...layers.flat()],
  };
}

/** One circuit after another; the second's angles come after the first's. */
export function followedBy(first: QuantumCircuit, second: QuantumCircuit): QuantumCircuit {
  const later = second.gates.map((gate) =>
    gate.gate === "rotate" ? { ...gate, angle: first.angles + gate.angle } : gate,
  );
  return {
    qubits: first.qubits,
    angles: first.angles + second.angles,
    gates: [...first.gates, ...later],
  };
}

/** Hadamard gates on every qubit: an even superposition. */
export function evenSuperposition(qubits: number): QuantumCircuit {
  const gates = Array.from({ length: qubits }, (_, qubit): QuantumGate => ({ gate: "hadamard", qubit }));
  return { qubits, angles: 0, gates };
}

/** X, Y and Z of every qubit, in this order: 3n observables. */
export function allPaulis(qubits: number): PauliObservable[] {
  return (["x", "y", "z"] as const).flatMap((axis) =>
    Array.from({ length: qubits }, (_, qubit) => ({ axis, qubit })),
  );
}
