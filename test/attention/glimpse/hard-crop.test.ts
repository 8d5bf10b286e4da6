import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { type HardCropOptions, hardCrop, type ImageSize } from "../../../src/attention/glimpse/index.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { onEveryBackend, random, tensor } from "../support.ts";
import { leftBehind } from "./fixture.ts";

const at = (y: number[], x: number[]) => ({ y: tf.tensor1d(y, "int32"), x: tf.tensor1d(x, "int32") });

/** What each place of a crop shows, by loops; 0 outside of the image. */
function shown(
  image: ArrayLike<number>,
  [B, H, W, C]: readonly number[],
  y: readonly number[],
  x: readonly number[],
  [h, w]: ImageSize,
): number[] {
  const out: number[] = [];
  for (let b = 0; b < B!; b++)
    for (let i = 0; i < h; i++)
      for (let j = 0; j < w; j++)
        for (let c = 0; c < C!; c++) {
          const [n, m] = [y[b]! + i, x[b]! + j];
          const inside = n >= 0 && n < H! && m >= 0 && m < W!;
          out.push(inside ? image[((b * H! + n) * W! + m) * C! + c]! : 0);
        }
  return out;
}

const SHAPES = [
  { shape: [2, 7, 5, 3], size: [3, 2], y: [1, 4], x: [3, 0] },
  { shape: [3, 5, 11, 1], size: [5, 7], y: [0, 0, 0], x: [4, 2, 0] },
  { shape: [1, 13, 7, 2], size: [1, 1], y: [12], x: [6] },
] as const;

onEveryBackend("hardCrop", () => {
  it.each(SHAPES)("gives exactly the pixels of each example's own place: %j", ({ shape, size, y, x }) => {
    const image = random(1, shape);
    const exact = shown(image.values, shape, y, x, size);
    for (const outside of ["error", "clamp", "zeros"] as const) {
      const { output } = hardCrop(tensor(image), at([...y], [...x]), size, { outside });
      expect(output.shape).toEqual([shape[0], ...size, shape[3]]);
      expect([...output.dataSync()]).toEqual(exact);
    }
  });

  it("fills with zeros what lies outside, wherever the crop is", () => {
    const image = random(2, [4, 5, 7, 2]);
    const [y, x] = [
      [-2, 3, -50, 1],
      [5, -1, 2, 1000],
    ];
    const { output } = hardCrop(tensor(image), at(y, x), [4, 3], { outside: "zeros" });
    expect([...output.dataSync()]).toEqual(shown(image.values, [4, 5, 7, 2], y, x, [4, 3]));
    const larger = hardCrop(tensor(image), at([-1, -1, -1, -1], [-1, -1, -1, -1]), [7, 9], {
      outside: "zeros",
    });
    const all = shown(image.values, [4, 5, 7, 2], [-1, -1, -1, -1], [-1, -1, -1, -1], [7, 9]);
    expect([...larger.output.dataSync()]).toEqual(all);
  });

  it("moves a crop to the nearest place inside with clamp", () => {
    const image = random(3, [3, 5, 7, 1]);
    const { output } = hardCrop(tensor(image), at([-2, 3, 9], [6, -1, 2]), [4, 3], { outside: "clamp" });
    expect([...output.dataSync()]).toEqual(shown(image.values, [3, 5, 7, 1], [0, 1, 1], [4, 0, 2], [4, 3]));
  });

  it("keeps NaN outside of the crop away from it", () => {
    const image = tf.tensor4d([Number.NaN, 1, 2, Number.NaN], [1, 1, 4, 1]);
    const { output } = hardCrop(image, at([-1], [1]), [2, 2], { outside: "zeros" });
    expect([...output.dataSync()]).toEqual([0, 0, 1, 2]);
    const beyond = hardCrop(image, at([0], [4]), [1, 2], { outside: "zeros" });
    expect([...beyond.output.dataSync()]).toEqual([0, 0]);
  });

  it.each(SHAPES)("passes the gradient check for the image: %j", ({ shape, size, y, x }) => {
    for (const outside of ["error", "zeros"] as const) {
      const move = outside === "zeros" ? 2 : 0;
      const places = at(
        y.map((n) => n + move),
        x.map((n) => n - move),
      );
      const f = (t: Record<string, tf.Tensor>) =>
        hardCrop(t.image as tf.Tensor4D, places, size, { outside }).output;
      expect(() => gradcheckTensors(f, { image: tensor(random(4, shape)) })).not.toThrow();
    }
  });

  it("gives back the gradient to the pixels that were seen, and nothing to the others", () => {
    const seen = tf.grad(
      (x: tf.Tensor) => hardCrop(x as tf.Tensor4D, at([1], [2]), [2, 2], { outside: "error" }).output,
    );
    const gradient = [...seen(tf.zeros([1, 4, 5, 1]), tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1])).dataSync()];
    const expected = new Array(20).fill(0);
    [expected[7], expected[8], expected[12], expected[13]] = [1, 2, 3, 4];
    expect(gradient).toEqual(expected);
  });

  it("leaves no tensor behind", () => {
    const image = tensor<tf.Tensor4D>(random(5, [2, 5, 7, 3]));
    const places = at([1, 1], [2, 0]);
    for (const outside of ["error", "clamp", "zeros"] as const) {
      const call = () => hardCrop(image, places, [2, 3], { outside });
      expect(leftBehind(() => call() as unknown as tf.TensorContainerObject)).toBe(0);
    }
  });

  it("refuses crops that lie outside, larger ones than the image, and to guess what to do then", () => {
    const image = tf.zeros<tf.Rank.R4>([2, 5, 7, 1]);
    const crop = (y: number[], x: number[], size: [number, number], outside?: string) => () =>
      hardCrop(image, at(y, x), size, { outside } as HardCropOptions);
    expect(crop([1, 3], [0, 4], [3, 3], "error")).toThrow(
      'hardCrop: with outside: "error" a crop must lie within the image, y from 0 to H − h=2 and x from 0 to W − w=4, ' +
        'got y=3 and x=4 for example 1; move it, or use outside: "clamp" or "zeros"',
    );
    expect(crop([0, 0], [0, 0], [6, 3], "clamp")).toThrow(
      "hardCrop: size [h, w] must be at most the image's [H, W] = [5, 7] here, got [6, 3]; take a smaller crop, or " +
        'outside: "zeros"',
    );
    expect(crop([0, 0], [0, 0], [3, 3])).toThrow(
      "hardCrop: outside must be error or clamp or zeros, got undefined; choose one of them",
    );
    const float = { y: tf.tensor1d([0, 0]), x: tf.tensor1d([0, 0]) };
    expect(() => hardCrop(image, float, [3, 3], { outside: "zeros" })).toThrow(
      "hardCrop: y must be int32 of shape [B] = [2], got float32 of shape [2]; the letters must mean the same sizes in " +
        "all of the call's tensors",
    );
    expect(crop([0, 0], [0, 0], [3, 0], "zeros")).toThrow(
      "hardCrop: size [h, w] must be two integers of 1 or more, got [3,0]; give rows, then columns",
    );
  });
});
