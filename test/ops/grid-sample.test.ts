import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { OptionError } from "../../src/core/errors.ts";
import { noSecondGradient } from "../../src/core/faults.ts";
import { type GridSampleOptions, gridSample } from "../../src/ops/index.ts";
import { gradcheckTensors } from "../../src/testing/gradcheck.ts";
import { type FixtureArray, fixture, toTensor } from "../attention/glimpse/fixture.ts";
import { BUILDS, useBuild } from "../support/kernel-build.ts";
import { bothWays, distance, leaked, numbers, type Op, run, type Value } from "./both-ways.ts";

interface Samples {
  image: FixtureArray;
  grid: FixtureArray;
  dy: FixtureArray;
  cases: { options: GridSampleOptions; output: FixtureArray; dimage: FixtureArray; dgrid: FixtureArray }[];
}

const samples = fixture<Samples>("grid-sample");
const OPTIONS = samples.cases.map(({ options }) => options);
const nameOf = ({ interpolation, padding, alignCorners }: GridSampleOptions) =>
  `${interpolation}, padding ${padding}, ${alignCorners ? "corners" : "edges"}`;
const CASES = samples.cases.map((one) => [nameOf(one.options), one] as const);

const sample =
  (options: GridSampleOptions): Op =>
  ([image, grid]) => [gridSample(image as tf.Tensor4D, grid as tf.Tensor4D, options)];

/** The largest |a − b|, of the largest |b| where that is above 1. */
const apart = (a: tf.Tensor, { values }: FixtureArray) =>
  Math.max(...Array.from(a.dataSync(), (value, e) => Math.abs(value - values[e]!))) /
  Math.max(1, ...values.map(Math.abs));

const use = (place: string) => (place === "cpu" ? tf.setBackend("cpu") : useBuild(place as "relaxed"));

describe.each(["cpu", ...BUILDS])("gridSample, %s", (place) => {
  beforeAll(async () => void (await use(place)));

  it.each(CASES)("is PyTorch's grid_sample: %s", (_, { options, output, dimage, dgrid }) => {
    tf.tidy(() => {
      const inputs = [toTensor(samples.image), toTensor(samples.grid)];
      const f = (image: tf.Tensor, grid: tf.Tensor) => sample(options)([image, grid])[0]!;
      expect(apart(f(inputs[0]!, inputs[1]!), output)).toBeLessThanOrEqual(1e-6);
      const [di, dg] = tf.grads(f)(inputs, toTensor(samples.dy));
      expect(apart(di!, dimage)).toBeLessThanOrEqual(1e-6);
      expect(apart(dg!, dgrid)).toBeLessThanOrEqual(1e-6);
    });
  });

  it("gives the values worked by hand", () => {
    // x = (0 + 1)/2·2 = 1 and y = (0.5 + 1)/2·1 = 0.75: a quarter of 2 and three quarters of 5.
    const image = tf.tensor4d([1, 2, 3, 4, 5, 6], [1, 2, 3, 1]);
    const at = (x: number, y: number, options: GridSampleOptions) =>
      gridSample(image, tf.tensor4d([x, y], [1, 1, 1, 2]), options).dataSync()[0];
    expect(at(0, 0.5, { alignCorners: true })).toBe(4.25);
    // x = ((0 + 1)·3 − 1)/2 = 1 and y = ((0.5 + 1)·2 − 1)/2 = 1.
    expect(at(0, 0.5, { alignCorners: false })).toBe(5);
    // y = ((1 + 1)·2 − 1)/2 = 1.5 lies half a pixel outside.
    expect(at(0, 1, { alignCorners: false })).toBe(2.5);
    expect(at(0, 1, { alignCorners: false, padding: "border" })).toBe(5);
    expect(at(0, 5, { alignCorners: true })).toBe(0);
    // y = 3 is 2 beyond the last row, which reflects to row 1 − 2 = −1 and that to row 1.
    expect(at(0, 5, { alignCorners: true, padding: "reflection" })).toBe(5);
    // x = 0.5 is as near to 0 as to 1: halves go to even numbers.
    expect(at(-0.5, -1, { alignCorners: true, interpolation: "nearest" })).toBe(1);
    expect(at(0.5, -1, { alignCorners: true, interpolation: "nearest" })).toBe(3);
  });

  it.each([
    [2, 5, 7, 1],
    [3, 5, 3, 2],
    [1, 11, 3, 5],
  ])("passes the gradient check for images of [%i, %i, %i, %i]", (B, H, W, C) => {
    // Points in the middle of four pixels: a step of the check is up to 1/16 of half the image.
    const image = tf.tensor4d(numbers(B * H * W * C, 3), [B, H, W, C]);
    const middle = (n: number, i: number) =>
      ((2 * ((i * 5) % (n - 1)) + 1) / (n - 1) - 1) * (1 + (i % 2) * 1e-3);
    const points = Array.from({ length: B * 6 }, (_, i) => [middle(W, i), middle(H, i + 1)]).flat();
    const grid = tf.tensor4d(points, [B, 2, 3, 2]);
    for (const padding of ["zeros", "border", "reflection"] as const) {
      const f = (inputs: Record<string, tf.Tensor>) =>
        gridSample(inputs.image as tf.Tensor4D, inputs.grid as tf.Tensor4D, { alignCorners: true, padding });
      expect(() => gradcheckTensors(f, { image, grid })).not.toThrow();
    }
  });

  it("gives NaN where a position is not finite, and nowhere else", () => {
    const image = tf.ones<tf.Rank.R4>([1, 3, 4, 5]);
    const grid = tf.tensor4d([0, 0, Number.NaN, 0, 0, Number.NaN, 0.1, 0.2], [1, 1, 4, 2]);
    for (const options of OPTIONS) {
      const out = gridSample(image, grid, options).dataSync();
      const where = Array.from({ length: 20 }, (_, e) => Math.floor(e / 5) === 1 || Math.floor(e / 5) === 2);
      expect(Array.from(out, Number.isNaN), nameOf(options)).toEqual(where);
    }
  });

  it("reads NaN pixels only where a point touches them", () => {
    const image = tf.tensor4d([Number.NaN, 1, 2, 3], [1, 2, 2, 1]);
    const beyond = tf.tensor4d([-3.1, -3, 1, 1, 3.1, -1], [1, 1, 3, 2]);
    for (const interpolation of ["bilinear", "nearest"] as const) {
      const out = gridSample(image, beyond, { alignCorners: true, interpolation }).dataSync();
      expect([...out]).toEqual([0, 3, 0]);
    }
  });

  it("takes points at any distance without reading outside of the image", () => {
    const far = [1e9, -1e9, 3e38, -3e38, 2 ** 31, -(2 ** 31) - 5];
    const grid = tf.tensor4d(
      far.flatMap((x) => [x, -x]),
      [1, 1, 6, 2],
    );
    const image = tf.ones<tf.Rank.R4>([1, 3, 4, 2]);
    const zeros = gridSample(image, grid, { alignCorners: false }).dataSync();
    expect([...zeros.subarray(0, 4)]).toEqual([0, 0, 0, 0]);
    const border = gridSample(image, grid, { alignCorners: false, padding: "border" }).dataSync();
    expect([...border.subarray(0, 4)]).toEqual([1, 1, 1, 1]);
    const f = (x: tf.Tensor, g: tf.Tensor) => sample({ alignCorners: true })([x, g])[0]!;
    expect(() =>
      tf
        .grads(f)([image, grid])
        .map((t) => t.dataSync()),
    ).not.toThrow();
  });

  it("has a gradient of four pixels for each point", () => {
    const image = tf.tensor4d(numbers(7 * 9, 1), [1, 7, 9, 1]);
    const grid = tf.tensor4d([0.12, -0.31], [1, 1, 1, 2]);
    const seen = tf.grad((x: tf.Tensor) => gridSample(x as tf.Tensor4D, grid, { alignCorners: true }))(image);
    expect(seen.dataSync().filter((d) => d !== 0)).toHaveLength(4);
  });

  it("takes images of one row, one column and one pixel", () => {
    const grid = tf.tensor4d([0.3, -0.4, 0.9, 1], [1, 1, 2, 2]);
    for (const padding of ["border", "reflection"] as const) {
      for (const alignCorners of [true, false]) {
        const one = gridSample(tf.fill([1, 1, 1, 1], 5), grid, { alignCorners, padding });
        expect([...one.dataSync()]).toEqual([5, 5]);
        const row = gridSample(tf.ones([1, 1, 4, 1]), grid, { alignCorners, padding });
        expect(Math.max(...row.dataSync().map((x) => Math.abs(x - 1)))).toBeLessThanOrEqual(2 ** -23);
      }
    }
  });

  it("leaves no tensor behind", () => {
    const inputs = [value([2, 5, 7, 3], 1), value([2, 2, 3, 2], 2)];
    for (const options of OPTIONS) expect(leaked(sample(options), inputs)).toBe(0);
  });
});

const value = (shape: number[], seed: number, scale = 1.5): Value => ({
  shape,
  values: numbers(tf.util.sizeFromShape(shape), seed, scale).map(Math.fround),
});

describe.each(BUILDS)("gridSample fused, %s build", (build) => {
  beforeAll(() => useBuild(build));

  it.each([1, 2, 3, 4, 5, 8, 13])("equals the composed one for %i channels", async (C) => {
    // Points on pixels, between them, at the edges and beyond.
    const grid = {
      shape: [2, 3, 11, 2],
      values: numbers(132, 7, 2.2).map((x, i) => (i % 3 ? x : Math.round(x * 3) / 3)),
    };
    const inputs = [value([2, 7, 5, C], C), grid];
    for (const options of OPTIONS) {
      // Positions on a pixel's edge may fall to either side by a rounding, and with them the gradient of the grid.
      const between =
        options.interpolation === "nearest" ? [inputs[0]!, value([2, 3, 11, 2], 9, 2.2)] : inputs;
      const { fused, composed } = await bothWays(sample(options), between);
      // A position is a few roundings of numbers up to 8 wrong, and neighbours differ by up to 3.
      expect(distance(fused.outputs, composed.outputs), nameOf(options)).toBeLessThan(1e-5);
      expect(distance(fused.gradients.slice(0, 1), composed.gradients.slice(0, 1))).toBeLessThan(2e-5);
    }
  });

  it("is one kernel forward, and backward one for each gradient that is asked for", async () => {
    const image = tf.ones<tf.Rank.R4>([2, 7, 5, 3]);
    const grid = tf.tensor4d(numbers(24, 1), [2, 2, 3, 2]);
    const kernels = async (f: () => tf.Tensor) =>
      (await tf.profile(f)).kernels.map(({ name }) => name).filter((name) => name.startsWith("Heed"));
    const options = { alignCorners: true };
    expect(await kernels(() => gridSample(image, grid, options))).toEqual(["HeedGridSample"]);
    const dgrid = tf.grad((g: tf.Tensor) => gridSample(image, g as tf.Tensor4D, options));
    expect(await kernels(() => dgrid(grid))).toEqual(["HeedGridSample", "HeedGridSampleGradGrid"]);
    const dimage = tf.grad((x: tf.Tensor) => gridSample(x as tf.Tensor4D, grid, options));
    expect(await kernels(() => dimage(image))).toEqual(["HeedGridSample", "HeedGridSampleGradImage"]);
  });

  it("refuses gradients of gradients in a sentence", () => {
    const image = tf.tensor4d(numbers(30, 1), [1, 5, 6, 1]);
    const once = tf.grad((g: tf.Tensor) =>
      tf.sum(tf.square(gridSample(image, g as tf.Tensor4D, { alignCorners: true }))),
    );
    const twice = tf.grad((g: tf.Tensor) => tf.sum(tf.square(once(g))));
    const refusal = new OptionError("GRADIENT", noSecondGradient({ op: "gridSample" }));
    expect(() => twice(tf.tensor4d([0.1, 0.2], [1, 1, 1, 2]))).toThrow(refusal);
  });

  it("touches no byte beside its tensors", () => {
    // Neighbours in the heap of an odd number of floats, before and after, stay as they were.
    tf.tidy(() => {
      const before = tf.fill([37], 7);
      const inputs = [value([1, 3, 3, 3], 1), value([1, 5, 1, 2], 2, 3)];
      const after = tf.fill([41], 9);
      for (const options of OPTIONS) run(sample(options), inputs);
      expect(before.dataSync().every((x) => x === 7) && after.dataSync().every((x) => x === 9)).toBe(true);
    });
  });
});

describe("gridSample refuses", () => {
  const image = () => tf.zeros<tf.Rank.R4>([2, 3, 5, 1]);
  const grid = () => tf.zeros<tf.Rank.R4>([2, 2, 2, 2]);
  const call = (x: tf.Tensor, g: tf.Tensor, options: object) => () =>
    gridSample(x as tf.Tensor4D, g as tf.Tensor4D, options as GridSampleOptions);

  it("to guess where the corners are", () => {
    expect(call(image(), grid(), {})).toThrow(
      "gridSample: alignCorners must be true or false, got undefined; choose one of them",
    );
  });

  it("other interpolations, paddings and shapes", () => {
    expect(call(image(), grid(), { alignCorners: true, interpolation: "bicubic" })).toThrow(
      "gridSample: interpolation must be bilinear or nearest, got bicubic; choose one of them",
    );
    expect(call(image(), grid(), { alignCorners: true, padding: "wrap" })).toThrow(
      "gridSample: padding must be zeros or border or reflection, got wrap; choose one of them",
    );
    expect(call(tf.zeros([3, 5, 1]), grid(), { alignCorners: true })).toThrow(
      "gridSample: image [B, H, W, C] must have rank 4, got shape [3, 5, 1]; reshape it first",
    );
    expect(call(image(), tf.zeros([1, 2, 2, 2]), { alignCorners: true })).toThrow(
      "gridSample: grid must be float32 of shape [B, h, w, 2] = [2, 2, 2, 2], got float32 of shape [1, 2, 2, 2]; the " +
        "letters must mean the same sizes in all of the call's tensors",
    );
    expect(call(tf.zeros([2, 0, 5, 1]), grid(), { alignCorners: true })).toThrow(
      "gridSample: image must have H ≥ 1 rows and W ≥ 1 columns, got H = 0 and W = 5; an image without pixels has " +
        "nothing to sample",
    );
  });
});
