import * as tf from "@tensorflow/tfjs-core";
import { checkGlimpse } from "../../attention/glimpse/glimpse.ts";
import { hardCrop } from "../../attention/glimpse/hard-crop.ts";
import { checkCount } from "../../core/check-options.ts";
import { detached } from "../../ops/attention/guard.ts";
import { checkTensors } from "../../ops/check.ts";
import { tidy } from "../../ops/tidy.ts";

export interface RetinaOptions {
  /** w, rows and columns of each patch. */
  patch: number;
  /** K, how many patches there are, each of which shows twice as much as the one before. @default 1 */
  scales?: number;
}

/**
 * A retina: crops around one place, each twice as wide as the one before, all seen with the same number of pixels.
 *
 *     ρ_k = meanPool_{2^k}(I[y_k … y_k + 2^k·w − 1, x_k … x_k + 2^k·w − 1]),   y_k = ⌊(l_y + 1)/2·(H − 1) − 2^k·w/2 + 1⌋
 *
 * Symbols: I the image, l the place, −1 and 1 the centres of the outermost pixels, k from 0 to K − 1. Shapes: images
 * [B, H, W, C], places [B, 2], y before x → [B, w, w, K·C].
 * Conventions: what lies outside of the image is 0. A crop is indexing: no gradient reaches the places, which a policy must
 * learn by its reward. A capture sees K hard crops. Cost: O(B·C·4^K·w²).
 * Paper: Mnih et al. 2014, §3.1, arxiv.org/abs/1406.6247.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @example
 * const image = tf.tensor4d([...Array(16).keys()], [1, 4, 4, 1]);
 * tf.squeeze(retina(image, tf.tensor2d([[-1, 1]]), { patch: 1, scales: 2 })); // [3, 2.5]
 */
export function retina(images: tf.Tensor4D, places: tf.Tensor2D, options: RetinaOptions): tf.Tensor4D {
  const op = "retina";
  const { patch: w, scales = 1 } = options;
  checkCount(op, "patch", w);
  checkCount(op, "scales", scales);
  checkGlimpse(op, images, [w, w]);
  const [B, H, W] = images.shape;
  checkTensors(op, [{ name: "places", tensor: places, letters: "[B, 2]", shape: [B, 2] }]);
  return tidy(() => {
    const sizes = tf.tensor1d([H - 1, W - 1]);
    const centres = tf.mul(tf.mul(tf.add(detached(places), 1), 0.5), sizes);
    const patches = Array.from({ length: scales }, (_, k) => {
      const side = w * 2 ** k;
      const from = tf.cast(tf.floor(tf.sub(centres, side / 2 - 1)), "int32");
      const [y, x] = tf.unstack(from, 1) as [tf.Tensor1D, tf.Tensor1D];
      const { output } = hardCrop(images, { y, x }, [side, side], { outside: "zeros" });
      return k === 0 ? output : tf.avgPool(output, 2 ** k, 2 ** k, "valid");
    });
    return tf.concat(patches, 3) as tf.Tensor4D;
  });
}
