import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { leakyIntegrateAndFire, type NeuronOptions } from "../../../src/attention/spiking/index.ts";
import { OptionError, ShapeError } from "../../../src/core/errors.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";

const [N, M] = [7, 11];
const currents = (seed = 1) => {
  const x = random(seed, [N, M]);
  return { ...x, values: x.values.map((v) => Math.fround(1.2 + 1.5 * v)) };
};

/** The neurons' own definition, one at a time in float64, forward and back through time. */
function loops(x: Float64Array, ds: Float64Array, options: Required<NeuronOptions>) {
  const { tau, threshold, reset, detachReset, alpha } = options;
  const [spikes, potentials, dx] = [0, 1, 2].map(() => new Float64Array(N * M)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let m = 0; m < M; m++) {
    let u = reset;
    for (let n = 0; n < N; n++) {
      const h = u + (x[n * M + m]! - (u - reset)) / tau;
      potentials[n * M + m] = h;
      spikes[n * M + m] = h >= threshold ? 1 : 0;
      u = h >= threshold ? reset : h;
    }
    let du = 0;
    for (let n = N - 1; n >= 0; n--) {
      const [h, s] = [potentials[n * M + m]!, spikes[n * M + m]!];
      const share = 1 / (1 + Math.exp(-alpha * (h - threshold)));
      const g = alpha * share * (1 - share);
      const dh = ds[n * M + m]! * g + du * (1 - s + (detachReset ? 0 : (reset - h) * g));
      dx[n * M + m] = dh / tau;
      du = dh * (1 - 1 / tau);
    }
  }
  return { spikes, potentials, dx };
}

onEveryBackend("leakyIntegrateAndFire", () => {
  it.each([
    { tau: 2, threshold: 1, reset: 0, detachReset: true },
    { tau: 1, threshold: 0.7, reset: 0, detachReset: false },
    { tau: 3.5, threshold: 1.1, reset: -0.25, detachReset: false },
    { tau: 5, threshold: 0.5, reset: 0.125, detachReset: true },
  ])("has the spikes, potentials and surrogate gradient of its definition, %j", (given) => {
    tf.tidy(() => {
      const x = currents();
      const ds = random(2, [N, M]);
      const expected = loops(x.values, ds.values, { ...given, surrogate: "sigmoid", alpha: 4 });
      const { spikes, potentials } = leakyIntegrateAndFire(tensor(x), { ...given, potentials: true });
      // No potential may be so near its threshold that float32 rounds it to the other side.
      const nearest = Math.min(...expected.potentials.map((h) => Math.abs(h - given.threshold)));
      expect(nearest).toBeGreaterThan(1e-5);
      expect([...spikes.dataSync()]).toEqual([...expected.spikes]);
      expect(expected.spikes.reduce((a, b) => a + b)).toBeGreaterThan(3);
      // Potentials of size 8 at most, rounded three times a step.
      expect(distance(potentials.dataSync(), expected.potentials)).toBeLessThanOrEqual(8 * 3 * N * ROUNDING);
      const f = (y: tf.Tensor) => leakyIntegrateAndFire(y, given).spikes;
      const dx = tf.grad(f)(tensor(x), tensor(ds)).dataSync();
      // A slope is at most 1 and changes by α²/10 of what the potential is wrong by.
      expect(distance(dx, expected.dx)).toBeLessThanOrEqual(1e-4);
      expect(Math.max(...expected.dx.map(Math.abs))).toBeGreaterThan(0.1);
    });
  });

  it("is worked by hand: charge, fire, reset, and the gradient of one spike", () => {
    tf.tidy(() => {
      const x = tf.tensor2d([[1.5], [1.5], [1.5]]);
      const { spikes, potentials } = leakyIntegrateAndFire(x, { potentials: true });
      expect([...potentials.dataSync()]).toEqual([0.75, 1.125, 0.75]);
      expect([...spikes.dataSync()]).toEqual([0, 1, 0]);
      // ds = (0, 1, 0): dh₁ = g(0.125), dh₀ = ½·dh₁, for no spike was before; dx = dh/2.
      const share = 1 / (1 + Math.exp(-0.5));
      const g = 4 * share * (1 - share);
      const dx = tf
        .grad((y) => leakyIntegrateAndFire(y).spikes)(x, tf.tensor2d([[0], [1], [0]]))
        .dataSync();
      expect(distance(dx, [g / 4, g / 2, 0])).toBeLessThanOrEqual(4 * ROUNDING);
    });
  });

  it("is causal: no bit of a step depends on a later one", () => {
    const x = currents();
    const later = { ...x, values: x.values.map((v, e) => (e >= 4 * M ? 9 - v : v)) };
    const [a, b] = [x, later].map((one) => leakyIntegrateAndFire(tensor(one)).spikes.dataSync());
    expect(a!.slice(0, 4 * M)).toEqual(b!.slice(0, 4 * M));
    expect(a).not.toEqual(b);
  });

  it("gives no spike without current, and at every step where the current is τθ", () => {
    const run = (current: number) => [...leakyIntegrateAndFire(tf.fill([5, 2], current)).spikes.dataSync()];
    expect(run(0)).toEqual(new Array(10).fill(0));
    expect(run(2)).toEqual(new Array(10).fill(1));
  });

  it("leaves no tensor behind, and no potential's history on the tape", () => {
    tf.tidy(() => {
      const x = tensor(currents());
      const before = tf.memory().numTensors;
      leakyIntegrateAndFire(x, { potentials: true });
      expect(tf.memory().numTensors).toBe(before + 2);
      const through = tf.grad((y) => leakyIntegrateAndFire(y, { potentials: true }).potentials);
      expect(() => through(x)).toThrow();
    });
  });

  const refused: [string, number[], object, typeof OptionError | typeof ShapeError, string][] = [
    [
      "no time step",
      [0, 3],
      {},
      ShapeError,
      "leakyIntegrateAndFire: x [N, …] must have N ≥ 1 time steps, got shape [0, 3]; put time first",
    ],
    [
      "a time constant below 1",
      [2, 3],
      { tau: 0.5 },
      OptionError,
      "leakyIntegrateAndFire: tau must be a number ≥ 1, got 0.5; choose one in that range or leave it out",
    ],
    [
      "a threshold at the reset",
      [2, 3],
      { threshold: 0.5, reset: 0.5 },
      OptionError,
      "leakyIntegrateAndFire: threshold must be a number above reset = 0.5, got 0.5; choose one in that range or leave it out",
    ],
    [
      "a reset that is no number",
      [2, 3],
      { reset: Number.NaN },
      OptionError,
      "leakyIntegrateAndFire: reset must be a finite number, got NaN; choose one in that range or leave it out",
    ],
  ];
  it.each(refused)("refuses %s", (_, shape, options, error, message) => {
    const x = tf.zeros(shape);
    const before = tf.memory().numTensors;
    const attempt = () => leakyIntegrateAndFire(x, options);
    expect(attempt).toThrow(error);
    expect(attempt).toThrow(expect.objectContaining({ message }));
    expect(tf.memory().numTensors).toBe(before);
  });
});
