import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { measureCircuits, parameterShift, runCircuit } from "../../../src/attention/quantum/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, ROUNDING } from "../support.ts";
import { OBSERVABLES, someAngles, someCircuit } from "./circuits.ts";

const circuit = someCircuit(3);
const [R, P, K] = [5, circuit.angles, OBSERVABLES.length];
const angles = () => tf.tensor2d(Float32Array.from(someAngles(9, R * P)), [R, P]);

onEveryBackend("measureCircuits, simulated", () => {
  it("has a row of expectations for each row of angles", () => {
    tf.tidy(() => {
      const x = angles();
      const rows = x.arraySync();
      const expected = rows.flatMap((row) => {
        const state = runCircuit(circuit, row);
        return OBSERVABLES.map(({ axis, qubit }) => state.expectation(axis, qubit));
      });
      const out = measureCircuits(circuit, x, OBSERVABLES);
      expect(out.shape).toEqual([R, K]);
      expect(distance(out.dataSync(), expected)).toBeLessThanOrEqual(ROUNDING);
    });
  });

  it("has the gradient of TensorFlow.js equal to parameter shift within 1e-6", () => {
    tf.tidy(() => {
      const x = angles();
      const dout = tf.tensor2d(Float32Array.from(someAngles(10, R * K)), [R, K]);
      const dx = tf.grad((y: tf.Tensor) => measureCircuits(circuit, y as tf.Tensor2D, OBSERVABLES))(x, dout);
      const cotangents = dout.arraySync();
      const expected = x.arraySync().flatMap((row, r) => {
        const jacobian = parameterShift(circuit, row, OBSERVABLES);
        return row.map((_, p) => jacobian.reduce((sum, one, k) => sum + cotangents[r]![k]! * one[p]!, 0));
      });
      expect(distance(dx.dataSync(), expected)).toBeLessThanOrEqual(1e-6);
    });
  });

  it("has gradients that agree with differences", () => {
    const f = ({ x }: Record<string, tf.Tensor>) => measureCircuits(circuit, x as tf.Tensor2D, OBSERVABLES);
    expect(() => gradcheckTensors(f, { x: tf.slice(angles(), 0, [2, P]) })).not.toThrow();
  });

  it("lets NaN into its own row alone, and into no gradient that asks nothing of it", () => {
    tf.tidy(() => {
      const x = tf.concat([tf.slice(angles(), 0, [2, P]), tf.fill([1, P], Number.NaN)]) as tf.Tensor2D;
      const out = measureCircuits(circuit, x, OBSERVABLES).arraySync();
      expect(out.map((row) => row.every(Number.isFinite))).toEqual([true, true, false]);
      const dout = tf.tensor2d([1, 1, 1, 1, 1, 1, 0, 0, 0], [3, K]);
      const dx = tf.grad((y: tf.Tensor) => measureCircuits(circuit, y as tf.Tensor2D, OBSERVABLES))(x, dout);
      expect(dx.dataSync().every(Number.isFinite)).toBe(true);
    });
  });

  it("takes no rows, refuses to be differentiated twice, and leaves no tensor behind", () => {
    tf.tidy(() => {
      expect(measureCircuits(circuit, tf.zeros([0, P]), OBSERVABLES).shape).toEqual([0, K]);
      const x = angles();
      const f = (y: tf.Tensor) => measureCircuits(circuit, y as tf.Tensor2D, OBSERVABLES);
      expect(() => tf.grad((y) => tf.grad(f)(y))(x)).toThrow(
        "measureCircuits: gradients of gradients are not available, got a request for one",
      );
      const before = tf.memory().numTensors;
      f(x);
      expect(tf.memory().numTensors).toBe(before + 1);
    });
  });

  const refused: [string, () => unknown, typeof OptionError | typeof ShapeError, string][] = [
    [
      "nine qubits",
      () => measureCircuits({ ...circuit, qubits: 9 }, angles(), OBSERVABLES),
      OptionError,
      "measureCircuits: a simulated register must have an integer from 1 to 8 qubits, got 9; use fewer qubits; the state vector doubles with each",
    ],
    [
      "other angles",
      () => measureCircuits(circuit, tf.zeros([2, 3]), OBSERVABLES),
      ShapeError,
      "measureCircuits: angles must be float32 of shape [R, P] = [2, 13], got float32 of shape [2, 3]; the letters must mean the same sizes in all of the call's tensors",
    ],
    [
      "an observable of another register",
      () => measureCircuits(circuit, angles(), [{ axis: "z", qubit: 3 }]),
      OptionError,
      "measureCircuits: a qubit must be an integer from 0 to 2, got 3; qubits are counted from 0",
    ],
  ];
  it.each(refused)("refuses %s", (_, attempted, error, message) => {
    const attempt = () => tf.tidy(() => void attempted());
    expect(attempt).toThrow(error);
    expect(attempt).toThrow(expect.objectContaining({ message }));
  });
});
