import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  type GlimpseWindow,
  type ResizeOptions,
  resizeGlimpse,
  windowAffine,
  windowGaussians,
} from "../../../src/attention/glimpse/index.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, ROUNDING, random, tensor } from "../support.ts";
import { leftBehind, perExample, plane } from "./fixture.ts";

const SAMPLERS: ResizeOptions[] = [
  { sampler: "gaussian" },
  { sampler: "bilinear", alignCorners: true },
  { sampler: "bilinear", alignCorners: false },
];

/** Windows of two examples. */
const windows = (top: number[], left: number[], height: number[], width: number[]): GlimpseWindow => ({
  top: perExample(...top),
  left: perExample(...left),
  height: perExample(...height),
  width: perExample(...width),
});

onEveryBackend("resizeGlimpse", () => {
  it.each(SAMPLERS)("gives a constant image as the same constant, at any ratio: %j", (options) => {
    const image = tf.fill<tf.Rank.R4>([2, 11, 13, 3], 0.75);
    const sizes = [
      [1, 1],
      [2, 17],
      [11, 13],
      [23, 3],
      [40, 40],
    ] as const;
    const given = [
      windows([0, 0], [0, 0], [11, 11], [13, 13]),
      windows([2, 3.3], [1, 0.7], [5, 1.5], [3, 9]),
      // Beyond the image: the Gaussians stay distributions, and the edge is repeated.
      windows([-4, 7], [8, -9], [30, 20], [9, 40]),
    ];
    for (const size of sizes) {
      for (const window of given) {
        const { output } = resizeGlimpse(image, window, size, options);
        expect(output.shape).toEqual([2, ...size, 3]);
        // Two rows of weights that sum to 1, of up to 13 each.
        const constant = new Float32Array(output.size).fill(0.75);
        expect(distance(output.dataSync(), constant)).toBeLessThanOrEqual(26 * ROUNDING);
      }
    }
  });

  it.each(SAMPLERS)("keeps a ramp a ramp, read where the window is: %j", (options) => {
    // Image value = column. Windows far enough inside, so that no Gaussian meets an edge.
    const image = tf.tile(tf.reshape(tf.range(0, 40), [1, 1, 40, 1]), [2, 30, 1, 1]) as tf.Tensor4D;
    const window = windows([9, 10], [12, 14], [8, 4], [12, 6]);
    const { output } = resizeGlimpse(image, window, [3, 4], options);
    const cornered = options.sampler === "bilinear" && options.alignCorners;
    const expected = [0, 1].flatMap((b) => {
      const [left, width] = [[12, 14][b]!, [12, 6][b]!];
      const [first, d] = cornered ? [left, (width - 1) / 3] : [left + width / 8 - 0.5, width / 4];
      return Array.from({ length: 12 }, (_, e) => first + (e % 4) * d);
    });
    // The mean of a Gaussian sampled at integers is off by up to 4πσ² e^(−2π²σ²), here for σ = 0.75; and rounding.
    const sampled = 4 * Math.PI * 0.75 ** 2 * Math.exp(-2 * Math.PI ** 2 * 0.75 ** 2);
    expect(distance(output.dataSync(), expected)).toBeLessThanOrEqual(sampled + 40 * 2 ** -21);
  });

  it("averages all pixels when it shrinks with Gaussians; bilinear reads some and skips the others", () => {
    // Stripes of 0 and 1, every second column. Of 33 columns, 9 points with corners aligned read each fourth: all 0.
    const stripes = tf.tile(
      tf.reshape(tf.mod(tf.range(0, 33), 2), [1, 1, 33, 1]),
      [2, 33, 1, 1],
    ) as tf.Tensor4D;
    const all = windows([0, 0], [0, 0], [33, 33], [33, 33]);
    const skipped = resizeGlimpse(stripes, all, [9, 9], { sampler: "bilinear", alignCorners: true }).output;
    expect(Math.max(...skipped.dataSync())).toBeLessThanOrEqual(33 * 2 ** -22);
    const mean = resizeGlimpse(stripes, all, [9, 9], { sampler: "gaussian" }).output.dataSync();
    // Weights that rise and then fall differ, even from odd, by the largest of them: half of 1/(σ√2π), a bit more where
    // the edge cuts a Gaussian off (at 0.75 σ, which leaves 77 %), for σ = 33/18.
    const most = 0.5 / (33 / 18) / Math.sqrt(2 * Math.PI) / 0.77;
    expect(distance(mean, new Float32Array(162).fill(0.5))).toBeLessThanOrEqual(most);
  });

  it.each([
    [2, 13, 11, 3, 3, 2],
    [2, 17, 19, 1, 2, 5],
    [2, 11, 17, 2, 5, 3],
  ])("passes the gradient check for the window, [%i, %i, %i, %i] to %i × %i", (B, H, W, C, h, w) => {
    // A plane has the same slope between all pixels, so that no step of the check meets a kink.
    const image = tf.tensor4d(plane([B, H, W, C]), [B, H, W, C]);
    const window = { ...windows([3.2, 2.1], [2.4, 3.7], [4.5, 6.1], [5.3, 3.9]) };
    for (const options of SAMPLERS) {
      const f = (given: Record<string, tf.Tensor>) =>
        resizeGlimpse(image, given as unknown as GlimpseWindow, [h, w], options).output;
      expect(() => gradcheckTensors(f, window, 64)).not.toThrow();
    }
  });

  it.each(SAMPLERS)("passes the gradient check for the image: %j", (options) => {
    const window = windows([1.2, 0.6], [0.4, 1.3], [2.5, 3.1], [3.3, 1.9]);
    const f = ({ image }: Record<string, tf.Tensor>) =>
      resizeGlimpse(image as tf.Tensor4D, window, [3, 2], options).output;
    expect(() => gradcheckTensors(f, { image: tensor(random(7, [2, 3, 5, 2])) })).not.toThrow();
  });

  it("leaves no tensor behind", () => {
    const image = tensor<tf.Tensor4D>(random(3, [2, 5, 7, 3]));
    const window = windows([0, 1], [1, 1], [3, 3], [2, 4]);
    const calls = [
      ...SAMPLERS.map((options) => () => resizeGlimpse(image, window, [2, 3], options)),
      () => windowGaussians(window, [2, 3]),
      () => windowAffine(window, [5, 7], { alignCorners: true }),
    ];
    for (const call of calls) expect(leftBehind(() => call() as unknown as tf.TensorContainerObject)).toBe(0);
  });

  it("refuses to guess the sampler or its corners, and windows of another batch", () => {
    const image = tf.zeros<tf.Rank.R4>([2, 5, 7, 1]);
    const window = windows([0, 0], [0, 0], [5, 5], [7, 7]);
    const call =
      (options: object, given = window) =>
      () =>
        resizeGlimpse(image, given, [2, 2], options as ResizeOptions);
    expect(call({})).toThrow(
      "resizeGlimpse: sampler must be gaussian or bilinear, got undefined; choose one of them",
    );
    expect(call({ sampler: "bilinear" })).toThrow(
      "resizeGlimpse: alignCorners must be true or false, got undefined; choose one of them",
    );
    expect(call({ sampler: "gaussian" }, windows([0, 0], [0], [5], [7]))).toThrow(
      "resizeGlimpse: left must be float32 of shape [B] = [2], got float32 of shape [1]; the letters must mean the same " +
        "sizes in all of the call's tensors",
    );
  });
});
