/** Gradients of TensorFlow.js' own that fail or are wrong there, against differences of values, on every backend. */
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import "../../src/host/backend.ts";
import "@tensorflow/tfjs-layers";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { gradientOverrides } from "../../src/host/gradient-overrides/index.ts";
import { BACKEND } from "../../src/host/register.ts";
import { normal } from "./compare.ts";

type F = (...x: tf.Tensor[]) => tf.Tensor;

const STEP = 2 ** -8;

/** The gradient of Σ w·f(x) along a direction, against a difference of values of the fourth order. */
function expectGradient(f: F, x: tf.Tensor[]): void {
  tf.tidy(() => {
    const w = normal(f(...x).shape, 97);
    const loss: F = (...given) => tf.sum(tf.mul(f(...given), w));
    const directions = x.map((t, n) => tf.sign(normal(t.shape, 31 + n)));
    const at = (t: number) =>
      loss(...x.map((given, n) => tf.add(given, tf.mul(directions[n]!, t)))).dataSync()[0]!;
    const slope = (8 * (at(STEP) - at(-STEP)) - (at(2 * STEP) - at(-2 * STEP))) / (12 * STEP);
    const gradients = tf.grads(loss as never)(x);
    gradients.forEach((g, n) => {
      expect(g.shape).toEqual(x[n]!.shape);
    });
    const dots = gradients.map((g, n) => tf.sum(tf.mul(g, directions[n]!)).dataSync()[0]!);
    const along = dots.reduce((a, b) => a + b);
    // Values of size Σ|w·f| are good to 2⁻²³, and the difference divides that by the step.
    const size = tf.sum(tf.abs(tf.mul(f(...x), w))).dataSync()[0]!;
    expect(Math.abs(along - slope)).toBeLessThan(1e-3 + (16 * 2 ** -23 * (1 + size)) / STEP);
    expect(gradients.some((g) => tf.max(tf.abs(g)).dataSync()[0]! > 0)).toBe(true);
  });
}

/** Numbers far enough from each other that a step does not change their order. */
const apart = (shape: number[]) => {
  const size = shape.reduce((n, s) => n * s, 1);
  return tf.tensor(
    Array.from({ length: size }, (_, i) => ((i * 7) % size) / 3 - size / 6),
    shape,
  );
};
const away = (shape: number[], seed = 1) => {
  const x = normal(shape, seed);
  return tf.add(x, tf.mul(0.5, tf.sign(x)));
};

const CASES: [string, F, () => tf.Tensor[]][] = [
  ["maximum, broadcast", tf.maximum, () => [apart([5, 3]), tf.add(apart([1, 3]), 0.17)]],
  ["minimum, broadcast", tf.minimum, () => [apart([3]), tf.add(apart([2, 5, 3]), 0.17)]],
  ["squaredDifference, broadcast", tf.squaredDifference, () => [normal([2, 5, 3]), normal([5, 1], 2)]],
  ["divNoNan", tf.divNoNan, () => [normal([2, 3]), away([3], 2)]],
  ["cumsum along the first axis", (x) => tf.cumsum(x!, 0), () => [normal([5, 3, 2])]],
  ["cumsum along an inner axis, exclusive", (x) => tf.cumsum(x!, 1, true), () => [normal([5, 3, 2])]],
  ["cumsum from the end", (x) => tf.cumsum(x!, 2, true, true), () => [normal([2, 3, 5])]],
  ["cumprod", (x) => tf.cumprod(x!, 1), () => [away([3, 5, 2])]],
  ["cumprod, exclusive, from the end", (x) => tf.cumprod(x!, 0, true, true), () => [away([5, 3])]],
  ["cumprod over a zero", (x) => tf.cumprod(x!, 0), () => [tf.tensor1d([2, -1, 0, 3, 0.5])]],
  ["prod over some axes", (x) => tf.prod(x!, [0, 2]), () => [away([2, 3, 3])]],
  ["prod over all, with a zero", (x) => tf.prod(x!), () => [tf.tensor1d([2, -1, 0, 3, 0.5])]],
  ["stridedSlice", (x) => tf.stridedSlice(x!, [1, 6], [5, 0], [2, -3]), () => [normal([5, 7])]],
  ["topk", (x) => tf.topk(x!, 2).values, () => [apart([3, 5])]],
  [
    "gatherND, one place twice",
    (x) => tf.gatherND(x!, tf.tensor2d([0, 2, 1, 0, 0, 2], [3, 2], "int32")),
    () => [normal([2, 3, 5])],
  ],
  [
    "gather in batches",
    (x) =>
      tf.gather(
        x!,
        tf.tensor2d(
          [
            [0, 2],
            [1, 1],
          ],
          [2, 2],
          "int32",
        ),
        1,
        1,
      ),
    () => [normal([2, 3, 2])],
  ],
  ["unstack of one", (x) => tf.unstack(x!)[0]!, () => [normal([1, 3])]],
  [
    "mirrorPad, reflect",
    (x) =>
      tf.mirrorPad(
        x!,
        [
          [2, 1],
          [0, 2],
        ],
        "reflect",
      ),
    () => [normal([3, 5])],
  ],
  [
    "mirrorPad, symmetric",
    (x) =>
      tf.mirrorPad(
        x!,
        [
          [2, 1],
          [0, 2],
        ],
        "symmetric",
      ),
    () => [normal([3, 5])],
  ],
  [
    "matMul, one matrix for a batch",
    (a, b) => tf.matMul(a!, b!, true, false),
    () => [normal([1, 3, 2]), normal([5, 3, 4], 2)],
  ],
  ...(
    [
      [false, false],
      [true, false],
      [false, true],
    ] as const
  ).flatMap(([align, half]): [string, F, () => tf.Tensor[]][] => [
    [
      `resizeBilinear, aligned ${align}, half pixels ${half}`,
      (x) => tf.image.resizeBilinear(x as tf.Tensor4D, [4, 7], align, half),
      () => [normal([2, 3, 5, 2])],
    ],
    [
      `resizeNearestNeighbor, aligned ${align}, half pixels ${half}`,
      (x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [4, 3], align, half),
      () => [normal([2, 3, 5, 2])],
    ],
  ]),
  ["avgPool over padding", (x) => tf.avgPool(x as tf.Tensor4D, 3, 2, "same"), () => [normal([2, 5, 4, 3])]],
  [
    "avgPool3d over padding",
    (x) => tf.avgPool3d(x as tf.Tensor5D, 3, 2, "same"),
    () => [normal([1, 5, 4, 3, 2])],
  ],
];

describe.each(["cpu", BACKEND])("A gradient on %s", (backend) => {
  it.each(CASES)("of %s is the slope", async (_, f, inputs) => {
    await tf.setBackend(backend);
    const before = tf.memory().numDataBuffers;
    tf.tidy(() => expectGradient(f, inputs()));
    expect(tf.memory().numDataBuffers).toBe(before);
  });
});

it("of stridedSlice with an axis that shrinks is the slope, and so are its values, which cpu mixes up", async () => {
  await tf.setBackend(BACKEND);
  tf.tidy(() => {
    const f: F = (x) => tf.stridedSlice(x!, [1, 2, 3], [5, 7, 1], [1, 2, -1], 2, 2, 0, 0, 1);
    const y = f(tf.reshape(tf.range(0, 140), [5, 7, 4]));
    expect([y.shape, [...y.dataSync()]]).toEqual([
      [4, 2],
      [31, 30, 39, 38, 47, 46, 55, 54],
    ]);
    expectGradient(f, [normal([5, 7, 4])]);
  });
});

it("gradients of maximum and cumsum are there on stock wasm too", async () => {
  await tf.setBackend("wasm");
  tf.tidy(() => {
    const f: F = (a, b) => tf.sum(tf.square(tf.cumsum(tf.maximum(a!, b!), 0)));
    expectGradient(f, [apart([5, 3]), tf.add(apart([3]), 0.17)]);
  });
});

it("of tensors without elements are tensors without elements, or zeros", async () => {
  await tf.setBackend(BACKEND);
  tf.tidy(() => {
    const shapes = (f: F, ...x: tf.Tensor[]) =>
      tf.grads(((...g: tf.Tensor[]) => tf.sum(f(...g))) as never)(x);
    for (const f of [tf.maximum, tf.squaredDifference] as F[]) {
      const [a, b] = shapes(f, tf.zeros([0, 3]), tf.ones([3])) as [tf.Tensor, tf.Tensor];
      expect([a.shape, [...b.dataSync()]]).toEqual([
        [0, 3],
        [0, 0, 0],
      ]);
    }
    expect(shapes((x) => tf.cumprod(x!, 0), tf.zeros([0, 3]))[0]!.shape).toEqual([0, 3]);
    expect(shapes((x) => tf.prod(x!, 0), tf.zeros([0, 3]))[0]!.shape).toEqual([0, 3]);
    expect([...shapes((x) => tf.topk(x!, 0).values, tf.ones([2]))[0]!.dataSync()]).toEqual([0, 0]);
  });
});

it("stay when TensorFlow.js registers its own afterwards", () => {
  const ours = tf.getGradient("Maximum");
  tf.registerGradient({ kernelName: "Maximum", gradFunc: () => ({}) });
  expect(tf.getGradient("Maximum")).toBe(ours);
  for (const { kernelName, gradFunc } of gradientOverrides) {
    expect(tf.getGradient(kernelName).gradFunc).toBe(gradFunc);
  }
  tf.registerGradient({ kernelName: "SomethingElse", gradFunc: () => ({}) });
  expect(tf.getGradient("SomethingElse")).toBeDefined();
  tf.unregisterGradient("SomethingElse");
});
