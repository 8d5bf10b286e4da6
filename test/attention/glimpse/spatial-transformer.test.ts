import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  type Affine,
  affineGrid,
  gridSample,
  hardCrop,
  type SpatialTransformerOptions,
  spatialTransformer,
  windowAffine,
} from "../../../src/attention/glimpse/index.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, random, tensor } from "../support.ts";
import { leftBehind, perExample, plane } from "./fixture.ts";

onEveryBackend("spatialTransformer", () => {
  it("with scale (w − 1)/(W − 1) and whole shifts is the exact crop, corners aligned", () => {
    const [B, H, W, h, w] = [3, 11, 7, 5, 3];
    const image = tensor<tf.Tensor4D>(random(1, [B, H, W, 2]));
    const [tops, lefts] = [
      [0, 3, 6],
      [4, 1, 0],
    ];
    const theta = {
      scaleX: tf.fill<tf.Rank.R1>([B], (w - 1) / (W - 1)),
      shiftX: perExample(...lefts.map((x) => (2 * x + w - 1) / (W - 1) - 1)),
      scaleY: tf.fill<tf.Rank.R1>([B], (h - 1) / (H - 1)),
      shiftY: perExample(...tops.map((y) => (2 * y + h - 1) / (H - 1) - 1)),
    };
    const crop = { y: tf.tensor1d(tops, "int32"), x: tf.tensor1d(lefts, "int32") };
    const hard = hardCrop(image, crop, [h, w], { outside: "error" }).output.dataSync();
    const { output } = spatialTransformer(image, theta, [h, w], { alignCorners: true, padding: "border" });
    // Positions are a few roundings of numbers up to 11 wrong, neighbours differ by up to 6.
    expect(distance(output.dataSync(), hard)).toBeLessThanOrEqual(6 * 11 * 2 ** -22);
    const sizes = { height: tf.fill<tf.Rank.R1>([B], h), width: tf.fill<tf.Rank.R1>([B], w) };
    const window = { top: perExample(...tops), left: perExample(...lefts), ...sizes };
    for (const alignCorners of [true, false]) {
      const same = windowAffine(window, [H, W], { alignCorners });
      const options = { alignCorners, padding: "border" } as const;
      const again = spatialTransformer(image, same, [h, w], options).output.dataSync();
      expect(distance(again, hard)).toBeLessThanOrEqual(6 * 11 * 2 ** -22);
    }
  });

  it("at the identity gives the image back", () => {
    const image = tensor<tf.Tensor4D>(random(2, [2, 5, 7, 3]));
    const theta = tf.tile(
      tf.tensor3d([
        [
          [1, 0, 0],
          [0, 1, 0],
        ],
      ]),
      [2, 1, 1],
    );
    for (const alignCorners of [true, false]) {
      const { output } = spatialTransformer(image, theta, [5, 7], { alignCorners, padding: "border" });
      expect(distance(output.dataSync(), image.dataSync())).toBeLessThanOrEqual(6 * 7 * 2 ** -22);
    }
  });

  it("turns an image by a quarter", () => {
    const image = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
    const theta = tf.tensor3d([
      [
        [0, 1, 0],
        [-1, 0, 0],
      ],
    ]);
    const { output, grid } = spatialTransformer(image, theta, [2, 2], { alignCorners: true, grid: true });
    expect([...output.dataSync()]).toEqual([3, 1, 4, 2]);
    expect(grid.shape).toEqual([1, 2, 2, 2]);
  });

  it("is the sampler at the points of the grid generator", () => {
    const image = tensor<tf.Tensor4D>(random(3, [2, 5, 7, 3]));
    const theta = tensor<tf.Tensor3D>(random(4, [2, 2, 3]));
    for (const interpolation of ["bilinear", "nearest"] as const) {
      const options = { alignCorners: false, interpolation, padding: "reflection" } as const;
      const both = gridSample(image, affineGrid(theta, [3, 2], options), options);
      const { output } = spatialTransformer(image, theta, [3, 2], options);
      expect([...output.dataSync()]).toEqual([...both.dataSync()]);
    }
  });

  it.each([
    [2, 13, 11, 3],
    [3, 17, 13, 1],
    [1, 11, 17, 2],
  ])("passes the gradient check for θ and the four numbers, images of [%i, %i, %i, %i]", (B, H, W, C) => {
    // A plane has the same slope between all pixels, so that no step of the check meets a kink.
    const image = tf.tensor4d(plane([B, H, W, C]), [B, H, W, C]);
    const each = (f: (b: number) => number) => perExample(...Array.from({ length: B }, (_, b) => f(b)));
    const four = {
      scaleX: each((b) => 0.5 - 0.1 * b),
      shiftX: each((b) => 0.1 * b),
      scaleY: each((b) => 0.4 + 0.1 * b),
      shiftY: each(() => -0.1),
    };
    const theta = tf.add(
      tf.mul(tensor(random(5, [B, 2, 3])), 0.05),
      tf.tile(
        tf.tensor3d([
          [
            [0.5, 0, 0.1],
            [0, 0.5, -0.1],
          ],
        ]),
        [B, 1, 1],
      ),
    );
    for (const alignCorners of [true, false]) {
      const f = (given: Affine) => spatialTransformer(image, given, [3, 2], { alignCorners }).output;
      gradcheckTensors((t) => f(t.theta as tf.Tensor3D), { theta }, 64);
      gradcheckTensors((t) => f(t as Affine), four, 64);
      const grads = tf.grads((...[scaleX, shiftX, scaleY, shiftY]: tf.Tensor[]) =>
        f({ scaleX, shiftX, scaleY, shiftY } as Affine),
      )(Object.values(four), tensor(random(6, [B, 3, 2, C])));
      for (const gradient of grads) expect(gradient.dataSync().every((d) => d !== 0)).toBe(true);
    }
  });

  it("passes the gradient check for the image", () => {
    const theta = tensor<tf.Tensor3D>(random(7, [2, 2, 3]));
    for (const padding of ["zeros", "border", "reflection"] as const) {
      const f = ({ image }: Record<string, tf.Tensor>) =>
        spatialTransformer(image as tf.Tensor4D, theta, [3, 2], { alignCorners: false, padding }).output;
      expect(() => gradcheckTensors(f, { image: tensor(random(8, [2, 3, 5, 2])) })).not.toThrow();
    }
  });

  it("leaves no tensor behind", () => {
    const image = tensor<tf.Tensor4D>(random(3, [2, 5, 7, 3]));
    const theta = tensor<tf.Tensor3D>(random(4, [2, 2, 3]));
    const shiftX = perExample(0.1, 0.2);
    for (const given of [theta, { shiftX }]) {
      const call = () => spatialTransformer(image, given, [3, 2], { alignCorners: true, grid: true });
      expect(leftBehind(() => call() as unknown as tf.TensorContainerObject)).toBe(0);
    }
  });

  it("refuses to guess the corners, and θ of another batch", () => {
    const image = tf.zeros<tf.Rank.R4>([2, 5, 7, 1]);
    expect(() =>
      spatialTransformer(image, tf.zeros([2, 2, 3]), [2, 2], {} as SpatialTransformerOptions),
    ).toThrow("spatialTransformer: alignCorners must be true or false, got undefined; choose one of them");
    expect(() => spatialTransformer(image, tf.zeros([1, 2, 3]), [2, 2], { alignCorners: true })).toThrow(
      "spatialTransformer: theta must be float32 of shape [B, 2, 3] = [2, 2, 3], got float32 of shape [1, 2, 3]; the " +
        "letters must mean the same sizes in all of the call's tensors",
    );
    expect(() =>
      spatialTransformer(image, { shiftY: perExample(1) }, [2, 2], { alignCorners: true }),
    ).toThrow(
      "spatialTransformer: shiftY must be float32 of shape [B] = [2], got float32 of shape [1]; the letters must mean " +
        "the same sizes in all of the call's tensors",
    );
  });
});
