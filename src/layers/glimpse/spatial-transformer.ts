import * as tf from "@tensorflow/tfjs-core";
import { spatialTransformer } from "../../attention/glimpse/spatial-transformer.ts";
import { ShapeError } from "../../core/errors.ts";
import { linear } from "../../ops/linear.ts";
import {
  byDefault,
  choice,
  flag,
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
  /** Rows of the glimpse, h. */
  height: required(integer(1)),
  /** Columns of the glimpse, w. */
  width: required(integer(1)),
  /** Whether −1 and 1 are the centres of the outermost pixels (true) or their outer edges (false). */
  alignCorners: required(flag()),
  /** "affine": the six numbers of θ; "crop": scaleX, shiftX, scaleY, shiftY. @default "affine" */
  transform: byDefault(choice("affine", "crop"), "affine"),
  /** Makes the numbers with weights of its own; without, the second input holds them. @default true */
  localization: byDefault(flag(), true),
  /** @default "bilinear" */
  interpolation: byDefault(choice("bilinear", "nearest"), "bilinear"),
  /** What lies outside of the image. @default "zeros" */
  padding: byDefault(choice("zeros", "border", "reflection"), "zeros"),
  ...weightFields("kernel", "zeros"),
  ...weightFields("bias", "zeros"),
  seed: seed(),
};
const inputs = [
  { name: "image", letters: "[B, H, W, C]" },
  { name: "features", letters: "[B, F]", optional: true },
];

/** The numbers of each transform that leave the image as it is. */
const IDENTITY = { affine: [1, 0, 0, 0, 1, 0], crop: [1, 0, 1, 0] };

export type SpatialTransformerLayerOptions = LayerOptions<typeof fields>;

/**
 * Spatial transformer: an affine window on an image, which it places itself or is told.
 *
 *     output = sample(image, θ),    θ = identity + features W + b
 *
 * Symbols: W `localization/kernel`, b `localization/bias`; θ as in `spatialTransformer`, row by row, or with
 * transform "crop" the numbers scaleX, shiftX, scaleY, shiftY. Shapes: [image [B, H, W, C], features [B, F]?] →
 * [B, height, width, C]; weights [F, P] and [P], P = 6 or 4. Without features they are the image itself, F = H·W·C.
 * Conventions: W and b begin at 0, so the layer begins as the identity, resized. Without `localization`, the features
 * are θ itself, [B, P]. alignCorners has no default: libraries disagree.
 * Cost: as `spatialTransformer`'s, and O(B·F·P). Paper: Jaderberg et al. 2015, §3, arxiv.org/abs/1506.02025.
 *
 * @throws OptionError UNKNOWN, OPTION, SHAPE · ShapeError SHAPE
 * @example
 * const layer = new SpatialTransformer({ height: 2, width: 2, alignCorners: true, localization: false });
 * const theta = tf.tensor2d([[0, 1, 0, -1, 0, 0]]); // a quarter turn
 * tf.squeeze(layer.apply([tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]), theta])); // [[3, 1], [4, 2]]
 */
export class SpatialTransformer extends MechanismLayer<typeof fields> {
  static readonly className = "SpatialTransformer";
  static readonly inputs = inputs;
  static readonly fields: typeof fields = fields;

  protected override parameters(sizes: Sizes): WeightTable<typeof fields> {
    const P = IDENTITY[this.config.transform].length;
    const { H, W, C, F = H! * W! * C! } = sizes;
    if (!this.config.localization && sizes.F !== P) {
      throw new ShapeError("SHAPE", {
        op: this.op,
        rule: `features [B, F] must be the F = ${P} numbers of the transform where localization is false`,
        got: sizes.F === undefined ? "none" : `F = ${sizes.F}`,
        remedy: "give them as the second input, or let the layer make them",
      });
    }
    return {
      "localization/kernel": this.config.localization && { shape: [F, P], kind: "kernel" },
      "localization/bias": this.config.localization && { shape: [P], kind: "bias" },
    };
  }

  protected override shapeOf([image]: readonly Shape[]): Shape {
    return [image![0]!, this.config.height, this.config.width, image![3]!];
  }

  protected override outputMask(): undefined {
    return undefined;
  }

  protected override compute([image, features]: tf.Tensor[]): tf.Tensor {
    const { height, width, transform, localization, ...options } = this.config;
    const B = image!.shape[0]!;
    const given = (features ?? tf.reshape(image!, [B, -1])) as tf.Tensor2D;
    const numbers = localization
      ? tf.add(
          linear(given, this.weight("localization/kernel"), this.weight("localization/bias")),
          tf.tensor1d(IDENTITY[transform]),
        )
      : given;
    const { alignCorners, interpolation, padding } = options;
    return spatialTransformer(image as tf.Tensor4D, this.#affine(numbers), [height, width], {
      alignCorners,
      interpolation,
      padding,
    }).output;
  }

  #affine(numbers: tf.Tensor) {
    if (this.config.transform === "affine") return tf.reshape<tf.Rank.R3>(numbers, [-1, 2, 3]);
    const [scaleX, shiftX, scaleY, shiftY] = tf.unstack(numbers, 1) as tf.Tensor1D[];
    return { scaleX, shiftX, scaleY, shiftY };
  }
}
