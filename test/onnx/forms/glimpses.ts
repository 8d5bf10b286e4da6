/** Layers that look at a part of an image. */
import * as heed from "../../../src/layers/index.ts";
import { type Forms, form, seed } from "../layer-harness.ts";

const size = { height: 3, width: 2 };
const whole = { height: 3, width: 5, seed };

export const GLIMPSES: Forms = {
  DrawRead: [form(() => new heed.DrawRead({ ...size, seed }), ["image", "state"])],
  DrawWrite: [form(() => new heed.DrawWrite({ height: 7, width: 5, seed }), ["image", "state"])],
  GaussianGlimpse: [form(() => new heed.GaussianGlimpse(size), ["image", "state"])],
  SoftMaskAttention: [
    form(() => new heed.SoftMaskAttention({ returnMap: true, seed }), ["image"]),
    form(() => new heed.SoftMaskAttention({ height: 1, width: 1, returnMap: true, seed }), ["image"]),
    form(() => new heed.SoftMaskAttention({ width: 1, normalize: "sigmoid", seed }), ["image"]),
    form(() => new heed.SoftMaskAttention({ height: 2, width: 3, normalize: "sigmoid", seed }), ["picture"]),
  ],
  SpatialTransformer: [
    form(() => new heed.SpatialTransformer({ ...whole, alignCorners: true }), ["image", "state"]),
    form(
      () => new heed.SpatialTransformer({ ...whole, alignCorners: false, padding: "border" }),
      ["picture"],
    ),
    form(
      () =>
        new heed.SpatialTransformer({
          ...{ ...whole, alignCorners: false, padding: "reflection", transform: "crop", localization: false },
        }),
      ["image", "crop"],
    ),
    form(
      () =>
        new heed.SpatialTransformer({
          ...{
            ...whole,
            alignCorners: true,
            interpolation: "nearest",
            transform: "crop",
            localization: false,
          },
        }),
      ["picture", "crop"],
    ),
  ],
};
