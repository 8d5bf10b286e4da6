import * as tf from "@tensorflow/tfjs-core";
import type { ImageSize } from "../../attention/glimpse/glimpse.ts";
import { spatialTransformer } from "../../attention/glimpse/spatial-transformer.ts";
import { checkTensors } from "../../ops/check.ts";
import { softmaxCrossEntropy } from "../../ops/softmax-cross-entropy.ts";
import { tidy } from "../../ops/tidy.ts";
import { convolution, convolutionSpecs, dense, denseSpecs } from "../maps.ts";
import { type ParameterSpecs, Parameters } from "../parameters.ts";
import { count, fullConfig, oneOf, size } from "./config.ts";
import { checkImages } from "./images.ts";
import { flat } from "./memory.ts";

const TRANSFORMS = ["affine", "crop", "none"] as const;
/** The numbers of each transform that leave the image as it is: θ row by row; scaleX, shiftX, scaleY, shiftY. */
const IDENTITY = { affine: [1, 0, 0, 0, 1, 0], crop: [1, 0, 1, 0] };

export interface SpatialTransformerConfig {
  /** [H, W] of the images. */
  image: ImageSize;
  /** C of the images. @default 1 */
  channels?: number;
  /** [h, w] of what the classifier sees; with "none" it sees the image. */
  glimpse: ImageSize;
  /** "affine": all of θ; "crop": a window, moved and zoomed; "none": no transformer, the same classifier. @default "affine" */
  transform?: (typeof TRANSFORMS)[number];
  /** Features of the localisation net's convolutions. */
  features: number;
  /** Units of the classifier's hidden layer. */
  hidden: number;
  classes: number;
}

const DEFAULTS = { channels: 1, transform: "affine" } as const;
const RULES = {
  image: size,
  channels: count,
  glimpse: size,
  transform: oneOf(...TRANSFORMS),
  features: count,
  hidden: count,
  classes: count,
};

function parameterSpecs(config: Required<SpatialTransformerConfig>): ParameterSpecs {
  const { image, channels: C, glimpse, transform, features: F, hidden, classes } = config;
  const [h, w] = transform === "none" ? image : glimpse;
  return {
    ...(transform !== "none" && {
      ...convolutionSpecs("localization/first", C, F),
      ...convolutionSpecs("localization/second", F, F),
      // A bias would not move what a softmax over places makes of it.
      ...convolutionSpecs("localization/third", F, F, { bias: false }),
      ...denseSpecs("localization/output", 2 * F, IDENTITY[transform].length, "zeros"),
    }),
    ...denseSpecs("classifier/hidden", h * w * C, hidden),
    ...denseSpecs("classifier/output", hidden, classes),
  };
}

/**
 * A classifier behind a spatial transformer: a small net finds the window of an image that matters, the classifier sees that
 * window alone, and both learn from the labels.
 *
 *     F = conv_3(conv_2(conv_1(I))),    m_f = Σ_ij softmax_ij(F_f) (i, j)
 *     θ = identity + W_θ m,    g = spatialTransformer(I, θ),    logits = W_c relu(W_h vec(g))
 *
 * Symbols: I the image, conv convolutions of 3 × 3, the first two with stride 2 and ReLU, m_f the middle of feature f, from −1
 * to 1 (a spatial softmax), θ the affine map, g the glimpse. W have a bias each. Shapes: images [B, H, W, C], labels int32 [B] → θ [B, 2, 3], glimpse [B, h, w, C], logits [B, classes].
 * Conventions: W_θ and its bias begin at 0, so the window begins as the whole image. −1 and 1 are the centres of the outermost
 * pixels, as in the paper; what lies outside of the image is 0. With transform "none" the same classifier sees the image
 * itself, which is what the transformer has to beat. A capture sees the window. Methods that return tensors leave them to the
 * caller's `tf.tidy`.
 * Cost: three convolutions and O(B·C·h·w) for the glimpse. Papers: Jaderberg et al. 2015, §3 and §4.1,
 * arxiv.org/abs/1506.02025; the middles: Levine et al. 2016, §4.1, arxiv.org/abs/1504.00702.
 *
 * @throws OptionError OPTION, UNKNOWN · ShapeError RANK, SHAPE, UNKNOWN
 * @example
 * const size = { features: 2, hidden: 8, classes: 4 };
 * const model = new SpatialTransformerClassifier({ image: [9, 11], glimpse: [5, 5], ...size }, 1);
 * model.classify(tf.ones([2, 9, 11, 1])).shape; // [2, 4]
 * model.dispose();
 */
export class SpatialTransformerClassifier {
  readonly config: Required<SpatialTransformerConfig>;
  readonly parameters: Parameters;

  /** A model with given parameters, by name; without them random ones: one seed, one model, on every machine. */
  constructor(config: SpatialTransformerConfig, start: number | Readonly<Record<string, Float32Array>> = 0) {
    const op = "SpatialTransformerClassifier";
    this.config = fullConfig<Required<SpatialTransformerConfig>>(op, config, DEFAULTS, RULES);
    this.parameters = Parameters.start(op, parameterSpecs(this.config), start);
  }

  /** θ of each image: [B, 2, 3]; with transform "none" the identity. */
  locate(images: tf.Tensor4D): tf.Tensor3D {
    const B = checkImages("SpatialTransformerClassifier.locate", "images", images, this.config);
    const { transform } = this.config;
    return tidy(() => {
      if (transform === "none") return tf.tile(tf.tensor3d(IDENTITY.affine, [1, 2, 3]), [B, 1, 1]);
      const first = tf.relu(convolution(this.parameters, "localization/first", images, 2));
      const second = tf.relu(convolution(this.parameters, "localization/second", first, 2));
      const places = middles(convolution(this.parameters, "localization/third", second));
      const moved = dense(this.parameters, "localization/output", places);
      const numbers = tf.add(moved, tf.tensor1d(IDENTITY[transform]));
      if (transform === "affine") return tf.reshape(numbers, [B, 2, 3]);
      const [scaleX, shiftX, scaleY, shiftY] = tf.unstack(numbers, 1);
      const nothing = tf.zeros([B]);
      const rows = [scaleX!, nothing, shiftX!, nothing, scaleY!, shiftY!];
      return tf.reshape(tf.stack(rows, 1), [B, 2, 3]);
    });
  }

  /** What the classifier sees: [B, h, w, C]; with transform "none" the images. */
  glimpse(images: tf.Tensor4D): tf.Tensor4D {
    return tidy(() => {
      const theta = this.locate(images);
      if (this.config.transform === "none") return tf.clone(images);
      return spatialTransformer(images, theta, this.config.glimpse, { alignCorners: true }).output;
    });
  }

  /** Scores of the classes: [B, classes]. */
  classify(images: tf.Tensor4D): tf.Tensor2D {
    return tidy(() => {
      const hidden = tf.relu(dense(this.parameters, "classifier/hidden", flat(this.glimpse(images))));
      return dense(this.parameters, "classifier/output", hidden);
    });
  }

  /** Mean cross-entropy in nats. */
  loss(images: tf.Tensor4D, labels: tf.Tensor1D): tf.Scalar {
    const op = "SpatialTransformerClassifier.loss";
    const B = checkImages(op, "images", images, this.config);
    checkTensors(op, [{ name: "labels", tensor: labels, letters: "[B]", shape: [B], dtype: "int32" }]);
    return tidy(() => tf.mean<tf.Scalar>(softmaxCrossEntropy(this.classify(images), labels)));
  }

  dispose(): void {
    this.parameters.dispose();
  }
}

/** Where each feature is, on the mean over its softmax, as a place from −1 to 1: [B, H, W, F] → [B, 2·F], rows, then columns. */
function middles(features: tf.Tensor4D): tf.Tensor2D {
  const [B, H, W, F] = features.shape;
  const shares = tf.softmax(tf.reshape(tf.transpose(features, [0, 3, 1, 2]), [B * F, H * W]));
  const map = tf.reshape(shares, [B, F, H, W]);
  const along = (axis: 2 | 3, n: number) =>
    tf.sum(tf.mul(tf.sum(map, axis), n === 1 ? tf.zeros([1]) : tf.linspace(-1, 1, n)), 2);
  return tf.concat([along(3, H), along(2, W)], 1) as tf.Tensor2D;
}
