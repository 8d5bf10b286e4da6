import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { type GaussianParameters, gaussianGlimpse, hardCrop } from "../../../src/attention/glimpse/index.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, random, tensor } from "../support.ts";
import { leftBehind, perExample } from "./fixture.ts";
import { axisOf, gaussianRows } from "./gaussians.ts";

type Lists = ReturnType<typeof axisOf>;

const axisTensors = ({ u, d, s }: Lists) => ({
  u: perExample(...u),
  d: perExample(...d),
  s: perExample(...s),
});

/** A_y I A_xᵀ, each channel, by loops. */
function oracle(image: ArrayLike<number>, [B, H, W, C]: number[], y: Lists, x: Lists, h: number, w: number) {
  const out: number[] = [];
  for (let b = 0; b < B!; b++) {
    const ay = gaussianRows({ u: y.u[b]!, d: y.d[b]!, s: y.s[b]! }, h, H!);
    const ax = gaussianRows({ u: x.u[b]!, d: x.d[b]!, s: x.s[b]! }, w, W!);
    for (let i = 0; i < h; i++)
      for (let j = 0; j < w; j++)
        for (let c = 0; c < C!; c++) {
          let sum = 0;
          for (let n = 0; n < H!; n++)
            for (let m = 0; m < W!; m++)
              sum += ay[i]![n]! * ax[j]![m]! * image[((b * H! + n) * W! + m) * C! + c]!;
          out.push(sum);
        }
  }
  return out;
}

const SHAPES: [image: [number, number, number, number], size: [number, number]][] = [
  [
    [2, 7, 5, 3],
    [3, 2],
  ],
  [
    [3, 5, 11, 1],
    [2, 7],
  ],
  [
    [1, 13, 7, 2],
    [5, 3],
  ],
];

onEveryBackend("gaussianGlimpse", () => {
  it.each(SHAPES)("is A_y I A_xᵀ in float64 for images of %j, glimpses of %j", (shape, size) => {
    const image = random(1, shape);
    const [y, x] = [axisOf(shape[0], shape[1]), axisOf(shape[0], shape[2])];
    const parameters = { y: axisTensors(y), x: axisTensors(x) };
    const { output, filters } = gaussianGlimpse(tensor(image), parameters, size, { filters: true });
    expect(output.shape).toEqual([shape[0], ...size, shape[3]]);
    expect(filters.y.shape).toEqual([shape[0], size[0], shape[1]]);
    expect(filters.x.shape).toEqual([shape[0], size[1], shape[2]]);
    expect(distance(output.dataSync(), oracle(image.values, shape, y, x, ...size))).toBeLessThanOrEqual(1e-5);
  });

  it("is the hard crop where σ → 0, d = 1 and the centres are whole", () => {
    const image = tensor<tf.Tensor4D>(random(2, [2, 9, 11, 3]));
    const [tops, lefts] = [
      [1, 4],
      [6, 0],
    ] as const;
    const axis = (u: readonly number[]) => axisTensors({ u: [...u], d: [1, 1], s: [0.1, 0.1] });
    const soft = gaussianGlimpse(image, { y: axis(tops), x: axis(lefts) }, [5, 4]).output;
    const places = { y: tf.tensor1d([...tops], "int32"), x: tf.tensor1d([...lefts], "int32") };
    const hard = hardCrop(image, places, [5, 4], { outside: "error" }).output;
    // The neighbours weigh e^(−50).
    expect(distance(soft.dataSync(), hard.dataSync())).toBeLessThanOrEqual(1e-5);
  });

  it("takes every second pixel where d = 2 and σ → 0", () => {
    const image = tf.reshape(tf.range(0, 48), [1, 6, 8, 1]) as tf.Tensor4D;
    const axis = (u: number) => axisTensors({ u: [u], d: [2], s: [0.05] });
    const out = gaussianGlimpse(image, { y: axis(1), x: axis(0) }, [3, 4]).output.dataSync();
    const expected = [1, 3, 5].flatMap((row) => [0, 2, 4, 6].map((column) => row * 8 + column));
    expect(distance(out, expected)).toBeLessThanOrEqual(48 * 2 ** -22);
  });

  it.each(SHAPES)(
    "passes the gradient check for the image and all six, images of %j, glimpses of %j",
    (shape, size) => {
      const [y, x] = [axisOf(shape[0], shape[1]), axisOf(shape[0], shape[2])];
      const six = Object.fromEntries(
        Object.entries({ y, x }).flatMap(([axis, lists]) =>
          Object.entries(lists).map(([name, values]) => [axis + name, perExample(...values)]),
        ),
      );
      const f = (t: Record<string, tf.Tensor>) => {
        const axis = (a: string) => ({ u: t[`${a}u`], d: t[`${a}d`], s: t[`${a}s`] });
        const parameters = { y: axis("y"), x: axis("x") } as GaussianParameters;
        return gaussianGlimpse(t.image as tf.Tensor4D, parameters, size).output;
      };
      const inputs: Record<string, tf.Tensor> = { image: tensor(random(4, shape)), ...six };
      gradcheckTensors(f, inputs);
      const names = Object.keys(inputs);
      const grads = tf.grads((...t: tf.Tensor[]) =>
        f(Object.fromEntries(names.map((name, n) => [name, t[n]!]))),
      )(Object.values(inputs));
      grads.forEach((gradient, n) => {
        expect(
          gradient.dataSync().some((d) => d !== 0),
          names[n],
        ).toBe(true);
      });
    },
  );

  it("finds its way back from far off the image: all six have a gradient there", () => {
    const image = tf.reshape(tf.range(0, 15 * 17), [1, 15, 17, 1]) as tf.Tensor4D;
    const six = [-9, 1, 2, 30, 1.5, 2].map((n) => perExample(n));
    const f = (...[yu, yd, ys, xu, xd, xs]: tf.Tensor[]) =>
      gaussianGlimpse(
        image,
        { y: { u: yu, d: yd, s: ys }, x: { u: xu, d: xd, s: xs } } as GaussianParameters,
        [4, 3],
      ).output;
    for (const gradient of tf.grads(f)(six)) {
      const [d] = gradient.dataSync();
      expect(Number.isFinite(d)).toBe(true);
      expect(Math.abs(d!)).toBeGreaterThan(1e-3);
    }
  });

  it("is two products", async () => {
    const image = tensor<tf.Tensor4D>(random(2, [2, 9, 11, 3]));
    const parameters = { y: axisTensors(axisOf(2, 9)), x: axisTensors(axisOf(2, 11)) };
    const { kernels } = await tf.profile(() => gaussianGlimpse(image, parameters, [5, 4]).output);
    expect(kernels.filter(({ name }) => name === "BatchMatMul")).toHaveLength(2);
  });

  it("leaves no tensor behind", () => {
    const image = tensor<tf.Tensor4D>(random(2, [2, 9, 11, 3]));
    const parameters = { y: axisTensors(axisOf(2, 9)), x: axisTensors(axisOf(2, 11)) };
    for (const filters of [true, false]) {
      const call = () => gaussianGlimpse(image, parameters, [5, 4], { filters });
      expect(leftBehind(() => call() as unknown as tf.TensorContainerObject)).toBe(0);
    }
  });
});

describe("gaussianGlimpse refuses", () => {
  it("parameters that are not one number for each example, and images of another rank", () => {
    const one = { u: perExample(1), d: perExample(1), s: perExample(1) };
    expect(() => gaussianGlimpse(tf.zeros([2, 3, 5, 1]), { y: one, x: one }, [2, 2])).toThrow(
      "gaussianGlimpse: y.u must be float32 of shape [B] = [2], got float32 of shape [1]; the letters must mean the " +
        "same sizes in all of the call's tensors",
    );
    expect(() =>
      gaussianGlimpse(tf.zeros([3, 5, 1]) as tf.Tensor as tf.Tensor4D, { y: one, x: one }, [2, 2]),
    ).toThrow("gaussianGlimpse: image [B, H, W, C] must have rank 4, got shape [3, 5, 1]; reshape it first");
  });
});
