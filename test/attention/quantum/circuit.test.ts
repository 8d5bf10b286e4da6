import { describe, expect, it } from "vitest";
import { entanglingAnsatz, type QuantumGate, runCircuit } from "../../../src/attention/quantum/index.ts";
import { OptionError } from "../../../src/core/errors.ts";
import { someAngles, someCircuit } from "./circuits.ts";

describe("runCircuit, simulated", () => {
  it("applies the gates in their order, by hand on one qubit", () => {
    const gates: QuantumGate[] = [
      { gate: "rotate", axis: "y", qubit: 0, angle: 1 },
      { gate: "rotate", axis: "z", qubit: 0, angle: 0 },
    ];
    const [turn, tilt] = [0.6, 1.1];
    const state = runCircuit({ qubits: 1, angles: 2, gates }, [turn, tilt]);
    // The Bloch vector leans by `tilt` towards x and is then turned by `turn` about z.
    const expected = [Math.sin(tilt) * Math.cos(turn), Math.sin(tilt) * Math.sin(turn), Math.cos(tilt)];
    (["x", "y", "z"] as const).forEach((axis, n) => {
      expect(state.expectation(axis, 0)).toBeCloseTo(expected[n]!, 14);
    });
  });

  it("keeps the norm 1 within 1e-10 on registers of any size", () => {
    for (const qubits of [2, 3, 5, 8]) {
      const circuit = someCircuit(qubits);
      expect(
        Math.abs(runCircuit(circuit, someAngles(qubits, circuit.angles)).norm() - 1),
      ).toBeLessThanOrEqual(1e-10);
    }
  });

  it("refuses what the register has not, before a gate is applied", () => {
    const attempt =
      (qubits: number, gate: QuantumGate, count = 1) =>
      () =>
        runCircuit({ qubits, angles: count, gates: [gate] }, [0.5]);
    const turn: QuantumGate = { gate: "rotate", axis: "x", qubit: 0, angle: 0 };
    expect(attempt(9, turn)).toThrow(OptionError);
    expect(attempt(9, turn)).toThrow(
      "runCircuit: a simulated register must have an integer from 1 to 8 qubits, got 9; use fewer qubits; the state vector doubles with each",
    );
    expect(attempt(2, { ...turn, qubit: 2 })).toThrow(
      "runCircuit: a qubit must be an integer from 0 to 1, got 2; qubits are counted from 0",
    );
    expect(attempt(2, { ...turn, angle: 1 })).toThrow(
      "runCircuit: a rotation must take one of the circuit's 1 angles, by a number from 0, got 1; give the circuit more angles",
    );
    expect(attempt(2, { gate: "cnot", control: 1, target: 1 })).toThrow(
      "runCircuit: a gate of two qubits must have two different ones, got qubit 1 twice; name another one",
    );
    expect(attempt(1, turn, 3)).toThrow(
      "runCircuit: angles must hold P = 3 numbers, got 1; pass the whole array, row-major and not detached",
    );
  });
});

describe("entanglingAnsatz", () => {
  it("has rotations about x and y of every qubit, and a ring and rotations a layer, with n·(L + 2) angles", () => {
    const { qubits, angles, gates } = entanglingAnsatz(3, 1);
    expect([qubits, angles, gates.length]).toEqual([3, 9, 12]);
    const told = gates.map((gate) =>
      gate.gate === "rotate"
        ? `${gate.axis}${gate.qubit}:${gate.angle}`
        : gate.gate === "cnot"
          ? `${gate.control}>${gate.target}`
          : "?",
    );
    expect(told.join(" ")).toBe("x0:0 x1:1 x2:2 y0:3 y1:4 y2:5 0>1 1>2 2>0 y0:6 y1:7 y2:8");
    expect(entanglingAnsatz(1, 2).gates.every(({ gate }) => gate === "rotate")).toBe(true);
    expect(entanglingAnsatz(4, 0).angles).toBe(8);
  });

  it("refuses another size", () => {
    expect(() => entanglingAnsatz(9)).toThrow(
      "entanglingAnsatz: a simulated register must have an integer from 1 to 8 qubits, got 9",
    );
    expect(() => entanglingAnsatz(2, -1)).toThrow("entanglingAnsatz: depth must be an integer ≥ 0, got -1");
  });
});
