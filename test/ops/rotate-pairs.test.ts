import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { rotatePairs } from "../../src/ops/rotate-pairs.ts";
import { BUILDS, useBuild } from "../support/kernel-build.ts";
import { distance, leaked, numbers, type Op, run } from "./both-ways.ts";

const KINDS = (["half", "interleaved"] as const).flatMap((pairs) =>
  (["bhtd", "bthd"] as const).map((layout) => ({ pairs, layout })),
);

/** x and one angle for each of T positions and `half` pairs. */
function setUp(layout: "bhtd" | "bthd", half: number, rest: number) {
  const [B, H, T] = [2, 3, 5];
  const shape = [...(layout === "bhtd" ? [B, H, T] : [B, T, H]), 2 * half + rest];
  const angles = numbers(T * half, 8, 3);
  const table = (f: (angle: number) => number) => tf.tensor2d(angles.map(f), [T, half]);
  return { shape, angles, table, T, H };
}

const input = (shape: number[]) => ({ shape, values: numbers(tf.util.sizeFromShape(shape), 2) });

describe.each(BUILDS)("rotatePairs fused, %s build", (build) => {
  beforeAll(() => useBuild(build));

  it.each(KINDS)("turns each pair by its angle, and its gradient back: $pairs, $layout", (options) => {
    for (const [half, rest] of [
      [1, 0],
      [3, 5],
      [4, 0],
      [7, 2],
    ] as const) {
      const { shape, angles, table, T, H } = setUp(options.layout, half, rest);
      const op: Op = ([x]) => [
        rotatePairs(x as tf.Tensor4D, { cos: table(Math.cos), sin: table(Math.sin) }, options),
      ];
      const turned = (x: number[], sign: number) => {
        const out = x.slice();
        const D = 2 * half + rest;
        for (let row = 0; row < x.length / D; row++) {
          const t = options.layout === "bhtd" ? row % T : Math.floor(row / H) % T;
          for (let i = 0; i < half; i++) {
            const [a, b] = options.pairs === "half" ? [i, i + half] : [2 * i, 2 * i + 1];
            const [at, to, angle] = [row * D + a, row * D + b, sign * angles[t * half + i]!];
            out[at] = x[at]! * Math.cos(angle) - x[to]! * Math.sin(angle);
            out[to] = x[to]! * Math.cos(angle) + x[at]! * Math.sin(angle);
          }
        }
        return out;
      };
      const x = input(shape);
      const { outputs, gradients } = run(op, [x]);
      // Two products of numbers up to 1.5, each factor rounded once, then the products and their sum.
      const tolerance = 1.5 * 7 * 2 ** -24;
      expect(distance(outputs, [turned(x.values, 1)])).toBeLessThan(tolerance);
      expect(distance(gradients, [turned(numbers(x.values.length, 90), -1)])).toBeLessThan(tolerance);
    }
  });

  it("keeps NaN to its pair, leaves no tensor behind and takes no examples", () => {
    const { shape, table } = setUp("bthd", 3, 1);
    const [cos, sin] = [table(Math.cos), table(Math.sin)];
    const op: Op = ([x]) => [rotatePairs(x as tf.Tensor4D, { cos, sin }, { pairs: "half", layout: "bthd" })];
    const x = input(shape);
    x.values[1] = Number.NaN;
    const { outputs } = run(op, [x]);
    expect(outputs[0]!.flatMap((y, at) => (Number.isNaN(y) ? [at] : []))).toEqual([1, 4]);
    expect(leaked(op, [x])).toBe(0);
    expect(op([tf.zeros([0, 5, 3, 7])])[0]!.shape).toEqual([0, 5, 3, 7]);
  });

  it("is one kernel forward and one backward, and a gradient of a gradient is there", async () => {
    const { shape, table } = setUp("bthd", 3, 1);
    const [cos, sin] = [table(Math.cos), table(Math.sin)];
    const f = (x: tf.Tensor) =>
      rotatePairs(x as tf.Tensor4D, { cos, sin }, { pairs: "half", layout: "bthd" });
    const { values } = input(shape);
    const x = tf.tensor(values, shape);
    const { kernels } = await tf.profile(() => tf.grad((given) => tf.sum(f(given)))(x));
    expect(kernels.filter(({ name }) => name === "HeedRotatePairs").length).toBe(2);
    // Turning keeps lengths, so that ½|f(x)|² has the gradient x, and ½ of the square of that again.
    const half = (y: tf.Tensor) => tf.mul(tf.sum(tf.square(y)), 0.5);
    const twice = tf.grad((given) => half(tf.grad((one) => half(f(one)))(given)))(x);
    expect(distance([[...twice.dataSync()]], [values])).toBeLessThan(1e-5);
  });
});
