import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { spike } from "../../../src/attention/spiking/index.ts";
import { OptionError } from "../../../src/core/errors.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
/** The curves whose slopes the surrogates are by definition. */
const CURVES = {
  sigmoid: (x: number, alpha: number) => sigmoid(alpha * x),
  arctan: (x: number, alpha: number) => Math.atan((Math.PI / 2) * alpha * x) / Math.PI + 0.5,
};
const slopeOf = (x: tf.Tensor, options: object) =>
  tf
    .grad((y) => spike(y, options))(x)
    .dataSync();

onEveryBackend("spike", () => {
  it("is 1 from 0 on, and 0 below, and for NaN", () => {
    const x = tf.tensor1d([-1, -1e-30, 0, 1e-30, 5, Number.NaN, Infinity]);
    expect([...spike(x).dataSync()]).toEqual([0, 0, 1, 1, 1, 0, 1]);
  });

  it.each([
    ["sigmoid", 4],
    ["sigmoid", 1.5],
    ["arctan", 2],
    ["arctan", 5],
  ] as const)("has the slope of its %s, α = %d, as its gradient", (surrogate, alpha) => {
    const x = random(1, [3, 7]);
    const h = 1e-5;
    const curve = CURVES[surrogate];
    const expected = x.values.map((v) => (curve(v + h, alpha) - curve(v - h, alpha)) / (2 * h));
    // Differences of h = 1e-5 err by h²·α³ at most; float32 rounds α·x, of which the slope takes α²/4, and its own value.
    const tolerance = h * h * alpha ** 3 + 16 * alpha ** 2 * ROUNDING;
    expect(distance(slopeOf(tensor(x), { surrogate, alpha }), expected)).toBeLessThanOrEqual(tolerance);
  });

  it("is not the true gradient: that is 0 where the surrogate is not", () => {
    const x = tf.tensor1d([0.25]);
    const [above, below] = [0.26, 0.24].map((v) => spike(tf.tensor1d([v])).dataSync()[0]!);
    expect(above! - below!).toBe(0);
    expect(slopeOf(x, {})[0]).toBeGreaterThan(0.5);
  });

  it("begins at α/4 and α/2 at the threshold, by hand, with 4 and 2 as the defaults", () => {
    const zero = tf.tensor1d([0]);
    expect(slopeOf(zero, {})[0]).toBe(1);
    expect(slopeOf(zero, { surrogate: "arctan" })[0]).toBe(1);
    expect(slopeOf(zero, { alpha: 6 })[0]).toBe(1.5);
    expect(slopeOf(zero, { surrogate: "arctan", alpha: 6 })[0]).toBe(3);
  });

  it("refuses to be differentiated twice, and leaves no tensor behind", () => {
    tf.tidy(() => {
      const x = tf.tensor1d([0.5]);
      expect(() => tf.grad((y) => tf.grad((z) => spike(z))(y))(x)).toThrow(
        "spike: gradients of gradients are not available, got a request for one; compose that op of elementary ones of TensorFlow.js",
      );
      const before = tf.memory().numTensors;
      spike(x);
      expect(tf.memory().numTensors).toBe(before + 1);
    });
  });

  it.each([
    [{ surrogate: "relu" }, 'spike: surrogate must be "sigmoid" or "arctan", got relu; choose one of them'],
    [{ alpha: 0 }, "spike: alpha must be a positive number, got 0; choose one in that range or leave it out"],
  ])("refuses %j", (options, message) => {
    const attempt = () => spike(tf.scalar(1), options as object);
    expect(attempt).toThrow(OptionError);
    expect(attempt).toThrow(message);
  });
});
