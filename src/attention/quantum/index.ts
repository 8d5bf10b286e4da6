export { entanglingAnsatz } from "./ansatz.ts";
export { type PauliObservable, type QuantumCircuit, type QuantumGate, runCircuit } from "./circuit.ts";
export { adjointGradient, parameterShift } from "./circuit-gradients.ts";
export * from "./measure-circuits.ts";
export * from "./quantum-self-attention.ts";
export { MOST_QUBITS, type PauliAxis, StateVector } from "./state-vector.ts";
