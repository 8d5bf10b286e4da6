import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import {
  type Affine,
  type DrawParameters,
  drawParameters,
  drawRead,
  type GaussianParameters,
  type Glimpse,
  type GlimpseWindow,
  gaussianGlimpse,
  type HardCropOptions,
  type HardCropParameters,
  hardCrop,
  type ResizeOptions,
  resizeGlimpse,
  type SoftMaskParameters,
  type SpatialTransformerOptions,
  softMask,
  spatialTransformer,
} from "../../../src/attention/glimpse/index.ts";
import { onEveryBackend, random, tensor } from "../support.ts";

// The types say it: every one of these is a Glimpse.
hardCrop satisfies Glimpse<HardCropParameters, HardCropOptions>;
softMask satisfies Glimpse<SoftMaskParameters>;
gaussianGlimpse satisfies Glimpse<GaussianParameters>;
drawRead satisfies Glimpse<DrawParameters>;
spatialTransformer satisfies Glimpse<Affine, SpatialTransformerOptions>;
resizeGlimpse satisfies Glimpse<GlimpseWindow, ResizeOptions>;

const [B, H, W] = [3, 10, 8];
const SIZE = [5, 4] as const;

type Named = Record<string, tf.Tensor>;

/** Each glimpse with parameters by name, of B examples, and how it is called with them. */
const GLIMPSES: [name: string, make: () => Named, call: (image: tf.Tensor4D, given: Named) => tf.Tensor4D][] =
  [
    [
      "hardCrop",
      () => ({ y: tf.tensor1d([0, 3, 5], "int32"), x: tf.tensor1d([4, 1, 0], "int32") }),
      (image, { y, x }) =>
        hardCrop(image, { y, x } as unknown as HardCropParameters, SIZE, { outside: "error" }).output,
    ],
    [
      "softMask",
      () => ({ logits: tensor(random(1, [B, H, W])) }),
      (image, { logits }) => softMask(image, { logits: logits as tf.Tensor3D }, SIZE).output,
    ],
    [
      "gaussianGlimpse",
      () => ({ u: tf.tensor1d([1.2, 3, -4]), d: tf.tensor1d([1, 0.7, 2]), s: tf.tensor1d([0.5, 1, 3]) }),
      (image, axis) => {
        const one = axis as unknown as GaussianParameters["y"];
        return gaussianGlimpse(image, { y: one, x: one }, SIZE).output;
      },
    ],
    [
      "drawRead",
      () => ({ vector: tf.mul(tensor(random(2, [B, 5])), 0.3) }),
      (image, { vector }) => drawRead(image, drawParameters(vector as tf.Tensor2D), SIZE).output,
    ],
    [
      "spatialTransformer",
      () => ({ theta: tensor(random(3, [B, 2, 3])) }),
      (image, { theta }) =>
        spatialTransformer(image, theta as tf.Tensor3D, SIZE, { alignCorners: false }).output,
    ],
    [
      "resizeGlimpse",
      () => ({
        top: tf.tensor1d([0, 1.5, -2]),
        left: tf.tensor1d([3, 0.2, 1]),
        height: tf.tensor1d([4, 9, 12]),
        width: tf.tensor1d([5, 2.5, 8]),
      }),
      (image, window) =>
        resizeGlimpse(image, window as unknown as GlimpseWindow, SIZE, { sampler: "gaussian" }).output,
    ],
  ];

const rows = (t: tf.Tensor, b: number) => tf.slice(t, b, 1);

onEveryBackend("every glimpse", () => {
  it.each(GLIMPSES)("%s takes images [B, H, W, C] of any C, each channel alike", (_, make, call) => {
    const given = make();
    for (const C of [1, 2, 5]) {
      const image = tensor<tf.Tensor4D>(random(4, [B, H, W, C]));
      const all = call(image, given);
      expect(all.shape).toEqual([B, ...SIZE, C]);
      for (let c = 0; c < C; c++) {
        const channel = call(tf.slice(image, [0, 0, 0, c], [B, H, W, 1]), given);
        const same = tf.slice(all, [0, 0, 0, c], [B, ...SIZE, 1]);
        // Sums of as many terms, perhaps in another order.
        expect(tf.max(tf.abs(tf.sub(channel, same))).dataSync()[0]).toBeLessThanOrEqual(1e-5);
      }
    }
  });

  it.each(GLIMPSES)("%s gives each example of a batch what it gives it alone", (_, make, call) => {
    const given = make();
    const image = tensor<tf.Tensor4D>(random(5, [B, H, W, 3]));
    const all = call(image, given);
    for (let b = 0; b < B; b++) {
      const own = Object.fromEntries(Object.entries(given).map(([name, t]) => [name, rows(t, b)]));
      const alone = call(rows(image, b) as tf.Tensor4D, own);
      expect(tf.max(tf.abs(tf.sub(alone, rows(all, b)))).dataSync()[0]).toBeLessThanOrEqual(1e-6);
    }
  });

  it.each(GLIMPSES)("%s refuses images without pixels and integers", (name, make, call) => {
    const given = make();
    expect(() => call(tf.zeros([B, 0, W, 1]), given)).toThrow(
      `${name}: image must have H ≥ 1 rows and W ≥ 1 columns, got H = 0 and W = 8; an image without pixels has ` +
        "nothing to look at",
    );
    expect(() => call(tf.zeros([B, H, W, 1], "int32"), given)).toThrow(
      `${name}: image must be float32 of shape [B, H, W, C] = [3, 10, 8, 1], got int32 of shape [3, 10, 8, 1]; the ` +
        "letters must mean the same sizes in all of the call's tensors",
    );
  });
});
