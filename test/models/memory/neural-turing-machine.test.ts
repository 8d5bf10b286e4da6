import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { capture } from "../../../src/capture/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { NeuralTuringMachine, type NeuralTuringMachineConfig } from "../../../src/models/memory/index.ts";
import { onEveryBackend, ROUNDING, random, tensor } from "../../attention/support.ts";
import { expectSlopes } from "./slopes.ts";

const [T, B, I, O, S, D, C] = [3, 2, 5, 4, 7, 3, 11];
const CONFIG: NeuralTuringMachineConfig = { inputs: I, outputs: O, slots: S, width: D, hidden: C };
const given = () => tensor<tf.Tensor3D>(random(1, [T, B, I]));

onEveryBackend("NeuralTuringMachine", () => {
  it.each(["lstm", "feedForward"] as const)(
    "keeps every head's weights a distribution, step by step (%s)",
    (controller) => {
      const machine = new NeuralTuringMachine(
        { ...CONFIG, controller, readHeads: 2, writeHeads: 2, shifts: 5 },
        1,
      );
      tf.tidy(() => {
        const { logits, weights } = machine.run(given());
        expect(logits.shape).toEqual([T, B, O]);
        expect(weights.shape).toEqual([T, B, 4, S]);
        for (const sum of tf.sum(weights, -1).dataSync())
          expect(Math.abs(sum - 1)).toBeLessThanOrEqual(16 * ROUNDING);
        expect(tf.min(weights).dataSync()[0]).toBeGreaterThanOrEqual(0);
      });
      machine.dispose();
    },
  );

  it("reads at a step what was written before it, and begins with zeros, every head at slot 0", () => {
    const machine = new NeuralTuringMachine({ ...CONFIG, controller: "feedForward" }, 1);
    tf.tidy(() => {
      const start = machine.start(B);
      expect([...start.weights.dataSync()].filter((w) => w === 1).length).toBe(B * 2);
      expect(start.weights.dataSync()[0]).toBe(1);
      const x = tf.reshape(tf.slice(given(), [0, 0, 0], [1, B, I]), [B, I]) as tf.Tensor2D;
      const first = machine.step(x, start).state;
      expect([...first.reads.dataSync()].every((value) => value === 0)).toBe(true);
      expect([...first.memory.dataSync()].some((value) => value !== 0)).toBe(true);
      const second = machine.step(x, first).state;
      expect([...second.reads.dataSync()].some((value) => value !== 0)).toBe(true);
    });
    machine.dispose();
  });

  it.each(["lstm", "feedForward"] as const)(
    "has gradients of every parameter, through time, that agree with differences (%s)",
    (controller) => {
      const machine = new NeuralTuringMachine({ ...CONFIG, controller }, 1);
      const x = given();
      expectSlopes(machine.parameters, () => tf.sum(tf.square(machine.run(x).logits)), { roundings: 32 });
      machine.dispose();
      x.dispose();
    },
  );

  it("leaves no tensor behind but what it returns, and is captured step by step", () => {
    const machine = new NeuralTuringMachine(CONFIG, 1);
    const x = given();
    const before = tf.memory().numTensors;
    const { logits, weights } = machine.run(x);
    expect(tf.memory().numTensors).toBe(before + 2);
    const expected = weights.dataSync().slice(2 * B * 2 * S, (2 * B + 1) * 2 * S);
    const trace = capture((steps: tf.Tensor3D) => machine.run(steps).logits, x);
    expect(Object.keys(trace.gates)).toEqual([0, 1, 2].map((n) => `ntmAddressing ${n} weights`));
    expect(trace.gates["ntmAddressing 2 weights"]!.data).toEqual(expected);
    tf.dispose([logits, weights, x]);
    machine.dispose();
  });
});

describe("NeuralTuringMachine", () => {
  const refused: [
    string,
    typeof ShapeError | typeof OptionError,
    (machine: NeuralTuringMachine) => unknown,
    string,
  ][] = [
    [
      "a memory without slots",
      OptionError,
      () => new NeuralTuringMachine({ ...CONFIG, slots: 0 }),
      "NeuralTuringMachine: slots must be an integer ≥ 1, got 0; choose one in that range or leave it out",
    ],
    [
      "an even number of shifts",
      OptionError,
      () => new NeuralTuringMachine({ ...CONFIG, shifts: 2 }),
      "NeuralTuringMachine: shifts must be an odd number, got 2; choose one in that range or leave it out",
    ],
    [
      "another controller",
      OptionError,
      () => new NeuralTuringMachine({ ...CONFIG, controller: "gru" as never }),
      'NeuralTuringMachine: controller must be "lstm" or "feedForward", got gru; choose one of them',
    ],
    [
      "inputs of another width",
      ShapeError,
      (machine) => machine.run(tf.ones([T, B, 6])),
      "NeuralTuringMachine.run: inputs must be float32 of shape [T, B, I] = [3, 2, 5], got float32 of shape [3, 2, 6]; the letters must mean the same sizes in all of the call's tensors",
    ],
    [
      "the memory of another machine",
      ShapeError,
      (machine) => machine.step(tf.ones([B, I]), { ...machine.start(B), memory: tf.zeros([B, S, 4]) }),
      "NeuralTuringMachine.step: state.memory must be float32 of shape [B, S, D] = [2, 7, 3], got float32 of shape [2, 7, 4]; the letters must mean the same sizes in all of the call's tensors",
    ],
  ];
  it.each(refused)("refuses %s", (_, type, call, message) => {
    const machine = new NeuralTuringMachine(CONFIG, 1);
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      expect(() => call(machine)).toThrow(type);
      expect(() => call(machine)).toThrow(expect.objectContaining({ message }));
    });
    expect(tf.memory().numTensors).toBe(before);
    machine.dispose();
  });
});
