import type * as tf from "@tensorflow/tfjs-core";
import { type DrawParameters, drawRead } from "../../attention/glimpse/draw.ts";
import { integer, type LayerOptions, required } from "../base/index.ts";
import { DrawLayer, drawFields, state } from "./draw-layer.ts";

const fields = {
  /** Rows of the patch, h; one of height and width is 2 or more. */
  height: required(integer(1)),
  /** Columns of the patch, w. */
  width: required(integer(1)),
  ...drawFields,
};

export type DrawReadLayerOptions = LayerOptions<typeof fields>;

/**
 * DRAW's reading: a patch of an image, where the decoder's state says.
 *
 *     output = γ F_Y image F_Xᵀ,    (g̃_X, g̃_Y, log σ², log δ̃, log γ) = state W + b
 *
 * Symbols: W `kernel`, b `bias`, F and γ as in `drawRead`. Shapes: [image [B, H, W, C], state [B, D]] →
 * [B, height, width, C]; weights [D, 5] and [5].
 * Conventions: with b = 0 and a state of zeros the patch spans the image's longer side. Read the error image too, as the
 * paper does, by giving both as channels.
 * Cost: as `drawRead`'s. Paper: Gregor et al. 2015, §3.2, eq. 21 and 27, arxiv.org/abs/1502.04623.
 *
 * @throws OptionError UNKNOWN, OPTION · ShapeError SHAPE
 * @example
 * const read = new DrawRead({ height: 3, width: 3 });
 * read.apply([tf.ones([2, 8, 8, 1]), tf.ones([2, 7])]).shape; // [2, 3, 3, 1]
 */
export class DrawRead extends DrawLayer<typeof fields> {
  static readonly className = "DrawRead";
  static readonly inputs = [{ name: "image", letters: "[B, H, W, C]" }, state];
  static readonly fields: typeof fields = fields;

  protected override draw(image: tf.Tensor4D, parameters: DrawParameters, size: [number, number]): tf.Tensor {
    return drawRead(image, parameters, size).output;
  }
}
