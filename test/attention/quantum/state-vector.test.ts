import { describe, expect, it } from "vitest";
import { MOST_QUBITS, type PauliAxis, StateVector } from "../../../src/attention/quantum/index.ts";
import { OptionError } from "../../../src/core/errors.ts";
import { RandomStream } from "../../../src/core/random.ts";

const AXES: readonly PauliAxis[] = ["x", "y", "z"];
type Complex = readonly [re: number, im: number];

const times = ([a, b]: Complex, [c, d]: Complex): Complex => [a * c - b * d, a * d + b * c];
/** 2 × 2 matrices by their rows, as textbooks have them. */
const rotation = (axis: PauliAxis, angle: number): Complex[][] => {
  const [c, s] = [Math.cos(angle / 2), Math.sin(angle / 2)];
  if (axis === "x")
    return [
      [
        [c, 0],
        [0, -s],
      ],
      [
        [0, -s],
        [c, 0],
      ],
    ];
  if (axis === "y")
    return [
      [
        [c, 0],
        [-s, 0],
      ],
      [
        [s, 0],
        [c, 0],
      ],
    ];
  return [
    [
      [c, -s],
      [0, 0],
    ],
    [
      [0, 0],
      [c, s],
    ],
  ];
};

/** M on one qubit of all amplitudes, by the whole matrix: what pairs of amplitudes are a shortcut for. */
function applied(matrix: Complex[][], qubit: number, state: StateVector): Complex[] {
  return Array.from(state.re, (_, i) => {
    let sum: Complex = [0, 0];
    state.re.forEach((_, j) => {
      if ((i ^ j) & ~(1 << qubit)) return;
      const [x, y] = times(matrix[(i >> qubit) & 1]![(j >> qubit) & 1]!, [state.re[j]!, state.im[j]!]);
      sum = [sum[0] + x, sum[1] + y];
    });
    return sum;
  });
}

/** A state that is not special in any way. */
function someState(qubits: number, seed: number, gates = 40): StateVector {
  const random = new RandomStream(seed);
  const state = new StateVector(qubits);
  for (let n = 0; n < gates; n++) {
    state.rotate(AXES[random.integer(3)]!, random.integer(qubits), 6 * random.uniform());
    if (qubits === 1) continue;
    const control = random.integer(qubits);
    const target = (control + 1 + random.integer(qubits - 1)) % qubits;
    if (random.integer(2) === 0) state.cnot(control, target);
    else state.cz(control, target);
  }
  return state;
}

describe("StateVector, simulated", () => {
  it("begins as |0…0⟩, with as many amplitudes as there are numbers of its bits", () => {
    const state = new StateVector(3);
    expect([...state.re]).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
    expect([...state.im]).toEqual(new Array(8).fill(0));
    expect(AXES.map((axis) => state.expectation(axis, 1))).toEqual([0, 0, 1]);
  });

  it.each(AXES)("turns about %s as the whole matrix does", (axis) => {
    for (const qubit of [0, 1, 2]) {
      const state = someState(3, 1);
      const expected = applied(rotation(axis, 0.7), qubit, state);
      state.rotate(axis, qubit, 0.7);
      expected.forEach(([re, im], i) => {
        expect(state.re[i]).toBeCloseTo(re, 14);
        expect(state.im[i]).toBeCloseTo(im, 14);
      });
    }
  });

  it("keeps the norm 1 within 1e-10 through 5000 gates on 8 qubits", () => {
    const state = someState(MOST_QUBITS, 2, 2500);
    expect(Math.abs(state.norm() - 1)).toBeLessThanOrEqual(1e-10);
  });

  it("has a Bell pair after H and CNOT, and the phase of CZ, by hand", () => {
    const bell = new StateVector(2).hadamard(0).cnot(0, 1);
    const half = Math.SQRT1_2;
    expect([...bell.re]).toEqual([half, 0, 0, half]);
    expect(bell.expectation("z", 0)).toBeCloseTo(0, 15);
    const signed = bell.cz(1, 0);
    expect([...signed.re]).toEqual([half, 0, 0, -half]);
    // X on qubit 1 of |00⟩ is |10⟩, the amplitude of number 2.
    expect([...new StateVector(2).pauli("x", 1).re]).toEqual([0, 0, 1, 0]);
  });

  it("has CZ as CNOT between two H, and CNOT that flips where its control is 1 alone", () => {
    const [a, b] = [someState(3, 3), someState(3, 3)];
    a.cz(2, 0);
    b.hadamard(0).cnot(2, 0).hadamard(0);
    a.re.forEach((re, i) => {
      expect(b.re[i]).toBeCloseTo(re, 14);
      expect(b.im[i]).toBeCloseTo(a.im[i]!, 14);
    });
    const flipped = someState(3, 3).cnot(1, 2);
    const before = someState(3, 3);
    flipped.re.forEach((re, i) => {
      expect(re).toBe(before.re[i & 2 ? i ^ 4 : i]);
    });
  });

  it.each(AXES)("expects of %s what ⟨ψ|P|ψ⟩ is, and P² is the identity", (axis) => {
    const matrix = {
      x: [
        [
          [0, 0],
          [1, 0],
        ],
        [
          [1, 0],
          [0, 0],
        ],
      ],
      y: [
        [
          [0, 0],
          [0, -1],
        ],
        [
          [0, 1],
          [0, 0],
        ],
      ],
      z: [
        [
          [1, 0],
          [0, 0],
        ],
        [
          [0, 0],
          [-1, 0],
        ],
      ],
    }[axis] as unknown as Complex[][];
    for (const qubit of [0, 1, 2]) {
      const state = someState(3, 4);
      const turned = applied(matrix, qubit, state);
      const own = state.copy().pauli(axis, qubit);
      let expected = 0;
      turned.forEach(([re, im], i) => {
        expect(own.re[i]).toBeCloseTo(re, 14);
        expect(own.im[i]).toBeCloseTo(im, 14);
        expected += state.re[i]! * re + state.im[i]! * im;
      });
      expect(state.expectation(axis, qubit)).toBeCloseTo(expected, 14);
      expect([...own.pauli(axis, qubit).re]).toEqual([...state.re]);
    }
  });

  it.each([0, 9, 2.5, Number.NaN])("refuses %d qubits before it takes memory", (qubits) => {
    const attempt = () => new StateVector(qubits);
    expect(attempt).toThrow(OptionError);
    expect(attempt).toThrow(
      `StateVector: a simulated register must have an integer from 1 to 8 qubits, got ${qubits}; use fewer qubits; the state vector doubles with each`,
    );
  });

  it("refuses a qubit that is not there, and a gate of one qubit with itself", () => {
    const state = new StateVector(2);
    expect(() => state.rotate("x", 2, 1)).toThrow(
      "StateVector: a qubit must be an integer from 0 to 1, got 2; qubits are counted from 0",
    );
    expect(() => state.cnot(-1, 1)).toThrow("StateVector: a qubit must be an integer from 0 to 1, got -1");
    expect(() => state.cz(1, 1)).toThrow(
      "StateVector.cz: a gate of two qubits must have two different ones, got qubit 1 twice; name another one",
    );
    expect([...state.re]).toEqual([1, 0, 0, 0]);
  });
});
