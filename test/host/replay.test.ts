import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, it } from "vitest";
import { Meter, setMeter } from "../../src/host/meter.ts";
import { KernelReplay } from "../../src/host/replay.ts";
import { useHeedBackend } from "../../src/host/select.ts";

beforeAll(useHeedBackend);

/** Names of the kernels that were computed, and what came out. */
function computed<T>(work: () => T): { names: string[]; out: T } {
  const meter = new Meter();
  setMeter(meter);
  try {
    const out = work();
    return { names: meter.times.flatMap(({ name, calls }) => new Array<string>(calls).fill(name)), out };
  } finally {
    setMeter(undefined);
  }
}

it("gives what kernels made up to a place, computes the rest, and leaves nothing behind", () => {
  const x = tf.tensor2d([1, -2, 3, 4, 5, -6], [2, 3]);
  const before = tf.memory();
  const replay = new KernelReplay();
  /** stop is called before the product. */
  const run = (factor: number, stop: () => void) =>
    tf.tidy(() => {
      const [left, right] = tf.split(tf.relu(tf.neg(x)), [1, 2], 1);
      stop();
      const sum = tf.add(tf.mul(left!, factor), right!);
      return Array.from(sum.dataSync());
    });
  const plain = run(10, () => {});
  expect(replay.record(() => run(10, () => {}))).toEqual(plain);
  const whole = computed(() => replay.play(() => run(10, () => {})));
  expect(whole).toEqual({ names: [], out: plain });
  const changed = computed(() => replay.play(() => run(100, () => replay.stop())));
  expect(changed.out).toEqual(run(100, () => {}));
  expect(changed.names).not.toContain("Neg");
  expect(changed.names).toEqual(expect.arrayContaining(["Multiply", "Add"]));
  // The same again: what was given is not used up.
  expect(computed(() => replay.play(() => run(10, () => {}))).out).toEqual(plain);
  replay.dispose();
  const { numTensors, numDataBuffers, numBytes } = tf.memory();
  expect({ numTensors, numDataBuffers, numBytes }).toEqual({
    numTensors: before.numTensors,
    numDataBuffers: before.numDataBuffers,
    numBytes: before.numBytes,
  });
  x.dispose();
});

it("computes from where a run is another one, and all of it where nothing was recorded", () => {
  const replay = new KernelReplay();
  const x = tf.tensor1d([1, 2, 3]);
  const run = (length: number) =>
    tf.tidy(() => Array.from(tf.square(tf.neg(tf.slice1d(x, 0, length))).dataSync()));
  expect(computed(() => replay.play(() => run(3))).names).toEqual(expect.arrayContaining(["Neg"]));
  replay.record(() => run(3));
  // Other sizes, other kernels: the slice has the same input, what follows has not.
  expect(
    replay.play(() => tf.tidy(() => Array.from(tf.square(tf.neg(tf.reshape(x, [3, 1]))).dataSync()))),
  ).toEqual([1, 4, 9]);
  expect(replay.play(() => tf.tidy(() => Array.from(tf.exp(tf.zeros([2])).dataSync())))).toEqual([1, 1]);
  expect(() =>
    replay.play(() => {
      throw new Error("stopped");
    }),
  ).toThrow("stopped");
  expect(computed(() => run(3)).names).toEqual(expect.arrayContaining(["Neg"]));
  replay.dispose();
  x.dispose();
});
