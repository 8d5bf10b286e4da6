import type * as tf from "@tensorflow/tfjs-core";
import { type DrawParameters, drawWrite } from "../../attention/glimpse/draw.ts";
import { integer, type LayerOptions, required } from "../base/index.ts";
import { DrawLayer, drawFields, state } from "./draw-layer.ts";

const fields = {
  /** Rows of the canvas, H. */
  height: required(integer(1)),
  /** Columns of the canvas, W. */
  width: required(integer(1)),
  ...drawFields,
};

export type DrawWriteLayerOptions = LayerOptions<typeof fields>;

/**
 * DRAW's writing: a patch onto a canvas, where the decoder's state says.
 *
 *     output = 1/γ F_Yᵀ patch F_X,    (g̃_X, g̃_Y, log σ², log δ̃, log γ) = state W + b
 *
 * Symbols: W `kernel`, b `bias`, F and γ as in `drawWrite`. Shapes: [patch [B, h, w, C], state [B, D]] →
 * [B, height, width, C]; weights [D, 5] and [5].
 * Conventions: the caller adds the outputs of all steps to a canvas. One of the patch's sides is 2 or more. With b = 0
 * and a state of zeros the patch spans the canvas' longer side.
 * Cost: as `drawWrite`'s. Paper: Gregor et al. 2015, §3.2, eq. 28 and 29, arxiv.org/abs/1502.04623.
 *
 * @throws OptionError UNKNOWN, OPTION · ShapeError SHAPE
 * @example
 * const write = new DrawWrite({ height: 8, width: 9 });
 * write.apply([tf.ones([2, 3, 3, 1]), tf.ones([2, 7])]).shape; // [2, 8, 9, 1]
 */
export class DrawWrite extends DrawLayer<typeof fields> {
  static readonly className = "DrawWrite";
  static readonly inputs = [{ name: "patch", letters: "[B, h, w, C]" }, state];
  static readonly fields: typeof fields = fields;

  protected override draw(patch: tf.Tensor4D, parameters: DrawParameters, size: [number, number]): tf.Tensor {
    return drawWrite(patch, parameters, size).output;
  }
}
