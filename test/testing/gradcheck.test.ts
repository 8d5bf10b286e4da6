import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { OptionError } from "../../src/core/errors.ts";
import { gradcheck, gradcheckTensors } from "../../src/testing/gradcheck.ts";
import { onEveryBackend } from "../attention/support.ts";

describe("gradcheck", () => {
  const cube = ({ x }: Record<string, Float64Array>) => x!.reduce((sum, n) => sum + n ** 3, 0);

  it("accepts the right gradient and leaves the inputs as they were", () => {
    const x = Float64Array.of(2, -3, 0.5);
    expect(gradcheck(cube, { x }, { x: x.map((n) => 3 * n * n) }).error).toBeLessThan(1e-9);
    expect([...x]).toEqual([2, -3, 0.5]);
  });

  it("refuses a gradient that is wrong in the fifth digit, and names the element", () => {
    const x = Float64Array.of(2, -3, 0.5);
    const wrong = [12, 27.0005, 0.75];
    const check = () => gradcheck(cube, { x }, { x: wrong });
    expect(check).toThrow(OptionError);
    expect(check).toThrow(
      /^gradcheck: gradients must agree with central differences to 0.000001, got 27.0005 against 2[67]\./,
    );
    expect(check).toThrow(/ at element 1 of x; correct the gradient of that input$/);
  });

  it.each([
    [0, Number.NaN],
    [1, Number.NaN],
    [2, Number.NaN],
    [1, Number.POSITIVE_INFINITY],
  ])("refuses at element %i of three a gradient of %d, whichever inputs follow", (index, wrong) => {
    const inputs = { x: Float64Array.of(2, -3, 0.5), y: Float64Array.of(1) };
    const f = ({ x, y }: Record<string, Float64Array>) => cube({ x: x! }) + cube({ x: y! });
    const gradient = [12, 27, 0.75].with(index, wrong);
    const orders: Record<string, number[]>[] = [
      { x: gradient },
      { x: gradient, y: [3] },
      { y: [3], x: gradient },
    ];
    for (const analytic of orders) {
      expect(() => gradcheck(f, inputs, analytic)).toThrow(
        expect.objectContaining({ details: expect.objectContaining({ input: "x", index, analytic: wrong }) }),
      );
    }
  });

  it("refuses a gradient of another length", () => {
    const x = Float64Array.of(2);
    expect(() => gradcheck(cube, { x }, { x: [12, 0] })).toThrow(
      "gradcheck: the gradient of x must have its 1 elements, got 2; return one number each",
    );
  });
});

onEveryBackend("gradcheckTensors", () => {
  it("accepts a right gradient and refuses a custom gradient that is 1 % wrong", () => {
    const x = tf.tensor1d([0.3, -0.7, 1.1]);
    const wrong = tf.customGrad((y) => ({
      value: tf.tanh(y as tf.Tensor),
      gradFunc: (dy: tf.Tensor) => tf.mul(dy, tf.mul(1.01, tf.sub(1, tf.square(tf.tanh(y as tf.Tensor))))),
    }));
    expect(() => gradcheckTensors(({ y }) => tf.tanh(y!), { y: x })).not.toThrow();
    expect(() => gradcheckTensors(({ y }) => wrong(y!), { y: x })).toThrow(
      /^gradcheckTensors: gradients must agree with central differences/,
    );
    x.dispose();
  });

  it("names the one element of many that is wrong, and the worst where all are", () => {
    const x = tf.tensor1d(Array.from({ length: 53 }, (_, e) => Math.sin(e)));
    const spoilt = (factors: number[]) =>
      tf.customGrad((y) => ({
        value: tf.tanh(y as tf.Tensor),
        gradFunc: (dy: tf.Tensor) =>
          tf.mul(dy, tf.mul(tf.tensor1d(factors), tf.sub(1, tf.square(tf.tanh(y as tf.Tensor))))),
      }));
    const one = spoilt(Array.from({ length: 53 }, (_, e) => (e === 37 ? 1.02 : 1)));
    const all = spoilt(Array.from({ length: 53 }, (_, e) => (e === 44 ? 1.2 : 1.02)));
    const right = spoilt(new Array(53).fill(1));
    const refused = (index: number) =>
      expect.objectContaining({ details: expect.objectContaining({ input: "y", index }) });
    expect(() => gradcheckTensors(({ y }) => one(y!), { y: x })).toThrow(refused(37));
    expect(() => gradcheckTensors(({ y }) => all(y!), { y: x })).toThrow(refused(44));
    let calls = 0;
    gradcheckTensors(
      ({ y }) => {
        calls++;
        return right(y!);
      },
      { y: x },
    );
    // Two for the output and the gradient, four for each run of elements; each alone would take four times 53.
    expect(calls).toBeLessThanOrEqual(2 + 4 * 4);
    x.dispose();
  });

  it.each([0, 1, 2])("refuses NaN at element %i, of the first input as of the last", (index) => {
    const spoiled = tf.customGrad((y) => ({
      value: tf.clone(y as tf.Tensor),
      gradFunc: (dy: tf.Tensor) =>
        tf.add(dy, tf.tensor1d([0, 0, 0].map((_, e) => (e === index ? Number.NaN : 0)))),
    }));
    tf.tidy(() => {
      const [a, b] = [tf.tensor1d([0.3, -0.7, 1.1]), tf.tensor1d([1, 2, 3])];
      const refused = (input: string) =>
        expect.objectContaining({ details: expect.objectContaining({ input, index }) });
      expect(() => gradcheckTensors((x) => tf.add(spoiled(x.a!), x.b!), { a, b })).toThrow(refused("a"));
      expect(() => gradcheckTensors((x) => tf.add(x.a!, spoiled(x.b!)), { a, b })).toThrow(refused("b"));
    });
  });

  it("leaves no tensor behind", () => {
    const x = tf.tensor1d([0.3, -0.7]);
    const before = tf.memory().numTensors;
    gradcheckTensors(({ y }) => tf.square(y!), { y: x });
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
  });
});
