import * as tf from "@tensorflow/tfjs-core";
import { gaussianGlimpse } from "../../attention/glimpse/gaussian-glimpse.ts";
import { ShapeError } from "../../core/errors.ts";
import {
  integer,
  type LayerOptions,
  MechanismLayer,
  required,
  type Shape,
  type Sizes,
  type WeightTable,
} from "../base/index.ts";

const fields = {
  /** Rows of the glimpse, h. */
  height: required(integer(1)),
  /** Columns of the glimpse, w. */
  width: required(integer(1)),
};
const inputs = [
  { name: "image", letters: "[B, H, W, C]" },
  { name: "parameters", letters: "[B, P]" },
];

export type GaussianGlimpseLayerOptions = LayerOptions<typeof fields>;

/**
 * Gaussian glimpse of an image, at the place that another layer gives.
 *
 *     output = A_y image A_xᵀ,    parameters = (u_y, log d_y, log σ_y, u_x, log d_x, log σ_x)
 *
 * Symbols: u the centre of the first Gaussian and d the stride between them, in pixels, σ their deviation; A as in
 * `gaussianMask`. Shapes: [image [B, H, W, C], parameters [B, 6]] → [B, height, width, C]; no weights.
 * Conventions: any real numbers are legal parameters, as a dense layer gives them; zeros are the upper left corner, at
 * the image's own scale, under Gaussians of deviation 1.
 * Cost: as `gaussianGlimpse`'s. Paper: Gregor et al. 2015, §3.2, arxiv.org/abs/1502.04623; in the form of Kosiorek 2017.
 *
 * @throws OptionError UNKNOWN, OPTION · ShapeError SHAPE
 * @example
 * const layer = new GaussianGlimpse({ height: 4, width: 3 });
 * layer.apply([tf.ones([2, 8, 8, 1]), tf.zeros([2, 6])]).shape; // [2, 4, 3, 1]
 */
export class GaussianGlimpse extends MechanismLayer<typeof fields> {
  static readonly className = "GaussianGlimpse";
  static readonly inputs = inputs;
  static readonly fields: typeof fields = fields;

  protected override parameters({ P }: Sizes): WeightTable<typeof fields> {
    if (P === 6) return {};
    throw new ShapeError("SHAPE", {
      op: this.op,
      rule: "parameters [B, P] must have P = 6: centre, log stride and log deviation of each axis, y before x",
      got: `P = ${P}`,
      remedy: "make them with a dense layer of 6 units",
    });
  }

  protected override shapeOf([image]: readonly Shape[]): Shape {
    return [image![0]!, this.config.height, this.config.width, image![3]!];
  }

  protected override outputMask(): undefined {
    return undefined;
  }

  protected override compute([image, parameters]: tf.Tensor[]): tf.Tensor {
    const [uy, dy, sy, ux, dx, sx] = tf.unstack(parameters!, 1) as tf.Tensor1D[];
    const axis = (u: tf.Tensor1D, d: tf.Tensor1D, s: tf.Tensor1D) => ({ u, d: tf.exp(d), s: tf.exp(s) });
    const { height, width } = this.config;
    const given = { y: axis(uy!, dy!, sy!), x: axis(ux!, dx!, sx!) };
    return gaussianGlimpse(image as tf.Tensor4D, given, [height, width]).output;
  }
}
