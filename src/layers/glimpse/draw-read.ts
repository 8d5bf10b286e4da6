import type * as tf from "@tensorflow/tfjs-core";
import { drawParameters, drawRead } from "../../attention/glimpse/draw.ts";
import { linear } from "../../ops/linear.ts";
import {
  integer,
  type LayerOptions,
  MechanismLayer,
  required,
  type Shape,
  type Sizes,
  seed,
  type WeightTable,
  weightFields,
} from "../base/index.ts";

const fields = {
  /** Rows of the patch, h; one of height and width is 2 or more. */
  height: required(integer(1)),
  /** Columns of the patch, w. */
  width: required(integer(1)),
  ...weightFields("kernel", "glorotUniform"),
  ...weightFields("bias", "zeros"),
  seed: seed(),
};
const inputs = [
  { name: "image", letters: "[B, H, W, C]" },
  { name: "state", letters: "[B, D]" },
];

export type DrawReadOptions = LayerOptions<typeof fields>;

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
 * @throws OptionError LAYER_KEY, LAYER_OPTION, NUMBER_RANGE · ShapeError SIZE
 * @example
 * const read = new DrawRead({ height: 3, width: 3 });
 * read.apply([tf.ones([2, 8, 8, 1]), tf.ones([2, 7])]).shape; // [2, 3, 3, 1]
 */
export class DrawRead extends MechanismLayer<typeof fields> {
  static readonly className = "DrawRead";

  constructor(args: DrawReadOptions) {
    super({ inputs, fields }, args);
  }

  protected override parameters({ D }: Sizes): WeightTable<typeof fields> {
    return { kernel: { shape: [D!, 5], kind: "kernel" }, bias: { shape: [5], kind: "bias" } };
  }

  protected override shapeOf([image]: readonly Shape[]): Shape {
    return [image![0]!, this.config.height, this.config.width, image![3]!];
  }

  protected override outputMask(): undefined {
    return undefined;
  }

  protected override compute([image, state]: tf.Tensor[]): tf.Tensor {
    const { height, width } = this.config;
    const vector = linear(state as tf.Tensor2D, this.weight("kernel"), this.weight("bias"));
    return drawRead(image as tf.Tensor4D, drawParameters(vector), [height, width]).output;
  }
}
