import { describe, expect, it } from "vitest";
import {
  adjointGradient,
  parameterShift,
  type QuantumGate,
  runCircuit,
} from "../../../src/attention/quantum/index.ts";
import { gradcheck } from "../../../src/testing/gradcheck.ts";
import { OBSERVABLES, someAngles, someCircuit } from "./circuits.ts";

const COTANGENTS = [0.7, -1.3, 0.4];

describe.each([2, 3, 5])("gradients of a simulated circuit of %d qubits", (qubits) => {
  const circuit = someCircuit(qubits);
  const angles = someAngles(qubits, circuit.angles);
  const value = (given: ArrayLike<number>) => {
    const state = runCircuit(circuit, given);
    return OBSERVABLES.reduce(
      (sum, { axis, qubit }, k) => sum + COTANGENTS[k]! * state.expectation(axis, qubit),
      0,
    );
  };

  it("by the adjoint method agree with central differences in float64", () => {
    const gradient = adjointGradient(circuit, angles, OBSERVABLES, COTANGENTS);
    expect(
      gradcheck(({ angles }) => value(angles!), { angles }, { angles: gradient }, 1e-8).error,
    ).toBeLessThan(1e-8);
  });

  it("by parameter shift equal those of the adjoint method, an angle of two rotations too", () => {
    const gradient = adjointGradient(circuit, angles, OBSERVABLES, COTANGENTS);
    const rows = parameterShift(circuit, angles, OBSERVABLES);
    const shifted = angles.map((_, p) => rows.reduce((sum, row, k) => sum + COTANGENTS[k]! * row[p]!, 0));
    // Each is right to float64's rounding of a few dozen gates.
    gradient.forEach((d, p) => {
      expect(Math.abs(d - shifted[p]!)).toBeLessThanOrEqual(1e-12);
    });
    expect(Math.max(...gradient.map(Math.abs))).toBeGreaterThan(0.1);
  });
});

describe("gradients of one simulated qubit", () => {
  const gates: QuantumGate[] = [{ gate: "rotate", axis: "y", qubit: 0, angle: 0 }];
  const circuit = { qubits: 1, angles: 1, gates };

  it("are −sin φ for ⟨Z⟩ = cos φ, by hand", () => {
    const z = [{ axis: "z", qubit: 0 }] as const;
    for (const angle of [0, 0.4, 2, -3]) {
      expect(adjointGradient(circuit, [angle], z, [1])[0]).toBeCloseTo(-Math.sin(angle), 15);
      expect(parameterShift(circuit, [angle], z)[0]![0]).toBeCloseTo(-Math.sin(angle), 15);
    }
  });

  it("refuse angles and observables that the circuit has not", () => {
    for (const [op, attempt] of [
      [
        "adjointGradient",
        (angles: number[], qubit: number) => adjointGradient(circuit, angles, [{ axis: "z", qubit }], [1]),
      ],
      [
        "parameterShift",
        (angles: number[], qubit: number) => parameterShift(circuit, angles, [{ axis: "z", qubit }]),
      ],
    ] as const) {
      expect(() => attempt([1, 2], 0)).toThrow(
        `${op}: angles must hold P = 1 numbers, got 2; pass the whole array, row-major and not detached`,
      );
      expect(() => attempt([1], 3)).toThrow(
        `${op}: a qubit must be an integer from 0 to 0, got 3; qubits are counted from 0`,
      );
    }
  });
});
