import { OptionError } from "../../core/errors.ts";

/** The largest register that is simulated: 2⁸ amplitudes. */
export const MOST_QUBITS = 8;

export type PauliAxis = "x" | "y" | "z";

/** @throws OptionError OPTION unless a register of that size is simulated */
export function checkQubits(op: string, qubits: number): void {
  if (Number.isInteger(qubits) && qubits >= 1 && qubits <= MOST_QUBITS) return;
  throw new OptionError("OPTION", {
    op,
    rule: `a simulated register must have an integer from 1 to ${MOST_QUBITS} qubits`,
    got: qubits,
    remedy: "use fewer qubits; the state vector doubles with each",
  });
}

/** @throws OptionError OPTION unless the register has that qubit */
export function checkQubit(op: string, qubits: number, qubit: number): void {
  if (Number.isInteger(qubit) && qubit >= 0 && qubit < qubits) return;
  throw new OptionError("OPTION", {
    op,
    rule: `a qubit must be an integer from 0 to ${qubits - 1}`,
    got: qubit,
    remedy: "qubits are counted from 0",
  });
}

/** @throws OptionError CONFLICT for a gate of two qubits on one */
export function checkTwo(op: string, first: number, second: number): void {
  if (first !== second) return;
  throw new OptionError("CONFLICT", {
    op,
    rule: "a gate of two qubits must have two different ones",
    got: `qubit ${first} twice`,
    remedy: "name another one",
  });
}

/**
 * The state of a register of qubits, simulated: all its 2ⁿ complex amplitudes, in float64.
 *
 *     |ψ⟩ = Σ_i a_i |i⟩,    R_P(φ) = exp(−iφP/2) = cos(φ/2) − i sin(φ/2) P,    ⟨P⟩ = ⟨ψ|P|ψ⟩,    P ∈ {X, Y, Z}
 *
 * Symbols: n qubits, a_i = re[i] + i·im[i]; bit q of i is qubit q, so |i⟩ = |… q₁ q₀⟩.
 * Conventions: it begins as |0…0⟩. Gates change the state in place and return it. Each is unitary: the norm stays 1 up to
 * rounding. Nothing here runs on a quantum computer, and nothing is sampled: expectations are exact.
 * Cost: O(2ⁿ) a gate. Source: Nielsen & Chuang 2010, Quantum Computation and Quantum Information, §1.3 and §4.2.
 *
 * @throws OptionError OPTION for another number of qubits than 1 to 8, or a qubit that is not there, CONFLICT
 * @example
 * // A Bell pair: each qubit alone is undecided.
 * const state = new StateVector(2).hadamard(0).cnot(0, 1);
 * Array.from(state.re); // [0.7071, 0, 0, 0.7071]
 * state.expectation("z", 0); // 0.00
 */
export class StateVector {
  readonly qubits: number;
  readonly re: Float64Array;
  readonly im: Float64Array;

  constructor(qubits: number) {
    checkQubits("StateVector", qubits);
    this.qubits = qubits;
    this.re = new Float64Array(2 ** qubits);
    this.im = new Float64Array(2 ** qubits);
    this.re[0] = 1;
  }

  copy(): StateVector {
    const state = new StateVector(this.qubits);
    state.re.set(this.re);
    state.im.set(this.im);
    return state;
  }

  /** √Σ|a_i|² */
  norm(): number {
    let sum = 0;
    for (let i = 0; i < this.re.length; i++) sum += this.re[i]! ** 2 + this.im[i]! ** 2;
    return Math.sqrt(sum);
  }

  /** Turns a qubit about an axis of the Bloch sphere: exp(−i·angle·P/2). */
  rotate(axis: PauliAxis, qubit: number, angle: number): this {
    const [c, s] = [Math.cos(angle / 2), Math.sin(angle / 2)];
    const { re, im } = this;
    this.#eachPair(qubit, (i, j) => {
      const [a, b, x, y] = [re[i]!, im[i]!, re[j]!, im[j]!];
      if (axis === "z") {
        [re[i], im[i], re[j], im[j]] = [c * a + s * b, c * b - s * a, c * x - s * y, c * y + s * x];
      } else if (axis === "y") {
        [re[i], im[i], re[j], im[j]] = [c * a - s * x, c * b - s * y, s * a + c * x, s * b + c * y];
      } else {
        [re[i], im[i], re[j], im[j]] = [c * a + s * y, c * b - s * x, c * x + s * b, c * y - s * a];
      }
    });
    return this;
  }

  /** |0⟩ → (|0⟩ + |1⟩)/√2, |1⟩ → (|0⟩ − |1⟩)/√2. */
  hadamard(qubit: number): this {
    const { re, im } = this;
    this.#eachPair(qubit, (i, j) => {
      const [a, b, x, y] = [re[i]!, im[i]!, re[j]!, im[j]!];
      re[i] = (a + x) * Math.SQRT1_2;
      im[i] = (b + y) * Math.SQRT1_2;
      re[j] = (a - x) * Math.SQRT1_2;
      im[j] = (b - y) * Math.SQRT1_2;
    });
    return this;
  }

  /** Flips `target` where `control` is 1. */
  cnot(control: number, target: number): this {
    checkTwo("StateVector.cnot", control, target);
    checkQubit("StateVector", this.qubits, control);
    const { re, im } = this;
    this.#eachPair(target, (i, j) => {
      if (((i >> control) & 1) === 0) return;
      [re[i], im[i], re[j], im[j]] = [re[j]!, im[j]!, re[i]!, im[i]!];
    });
    return this;
  }

  /** Changes the sign where both qubits are 1. */
  cz(first: number, second: number): this {
    checkTwo("StateVector.cz", first, second);
    checkQubit("StateVector", this.qubits, first);
    const { re, im } = this;
    this.#eachPair(second, (_, j) => {
      if (((j >> first) & 1) === 0) return;
      re[j] = -re[j]!;
      im[j] = -im[j]!;
    });
    return this;
  }

  /** P|ψ⟩ in place; a Pauli matrix is a gate, and its own inverse. */
  pauli(axis: PauliAxis, qubit: number): this {
    const { re, im } = this;
    this.#eachPair(qubit, (i, j) => {
      const [a, b, x, y] = [re[i]!, im[i]!, re[j]!, im[j]!];
      if (axis === "z") [re[j], im[j]] = [-x, -y];
      else if (axis === "x") [re[i], im[i], re[j], im[j]] = [x, y, a, b];
      else [re[i], im[i], re[j], im[j]] = [y, -x, -b, a];
    });
    return this;
  }

  /** ⟨ψ|P|ψ⟩, from −1 to 1. */
  expectation(axis: PauliAxis, qubit: number): number {
    return this.matrixElement(axis, qubit, this).re;
  }

  /** ⟨this|P|other⟩ */
  matrixElement(axis: PauliAxis, qubit: number, other: StateVector): { re: number; im: number } {
    const { re: r, im: m } = other;
    const sum = { re: 0, im: 0 };
    // conj(a + bi)·(x + yi)
    const add = (i: number, x: number, y: number) => {
      sum.re += this.re[i]! * x + this.im[i]! * y;
      sum.im += this.re[i]! * y - this.im[i]! * x;
    };
    this.#eachPair(qubit, (i, j) => {
      if (axis === "z") {
        add(i, r[i]!, m[i]!);
        add(j, -r[j]!, -m[j]!);
      } else if (axis === "x") {
        add(i, r[j]!, m[j]!);
        add(j, r[i]!, m[i]!);
      } else {
        add(i, m[j]!, -r[j]!);
        add(j, -m[i]!, r[i]!);
      }
    });
    return sum;
  }

  /** The pairs of amplitudes that differ in a qubit: i where it is 0, j where it is 1. */
  #eachPair(qubit: number, visit: (i: number, j: number) => void): void {
    checkQubit("StateVector", this.qubits, qubit);
    const bit = 1 << qubit;
    for (let i = 0; i < this.re.length; i++) if ((i & bit) === 0) visit(i, i | bit);
  }
}
