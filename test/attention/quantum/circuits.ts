import {
  entanglingAnsatz,
  type PauliObservable,
  type QuantumCircuit,
} from "../../../src/attention/quantum/index.ts";
import { RandomStream } from "../../../src/core/random.ts";

/** A circuit with every kind of gate, and an angle that two rotations share. */
export function someCircuit(qubits: number): QuantumCircuit {
  const { gates, angles } = entanglingAnsatz(qubits, 2);
  return {
    qubits,
    angles: angles + 1,
    gates: [
      { gate: "hadamard", qubit: qubits - 1 },
      ...gates,
      { gate: "rotate", axis: "z", qubit: 0, angle: angles },
      { gate: "cz", control: 0, target: qubits - 1 },
      { gate: "rotate", axis: "x", qubit: qubits - 1, angle: 1 },
    ],
  };
}

export const someAngles = (seed: number, count: number): Float64Array =>
  new RandomStream(seed).fillUniform(new Float64Array(count), -Math.PI, Math.PI);

export const OBSERVABLES: readonly PauliObservable[] = [
  { axis: "z", qubit: 0 },
  { axis: "x", qubit: 1 },
  { axis: "y", qubit: 1 },
];
