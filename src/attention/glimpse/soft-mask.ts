import * as tf from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { notAChoice, outOfRange, wrongRank } from "../../core/faults.ts";
import { checkRank, checkTensors } from "../../ops/check.ts";
import { tidy } from "../../ops/tidy.ts";
import { checkGlimpse, type GlimpseResult, type ImageSize } from "./glimpse.ts";

export interface SoftMaskParameters {
  /** [B, H, W]: a score for every location, from any network. */
  logits: tf.Tensor3D;
}

export interface SoftMaskOptions {
  /** "softmax" over all locations, or a "sigmoid" at each, independent of the others. @default "softmax" */
  normalize?: "softmax" | "sigmoid";
}

export interface SoftMaskResult extends GlimpseResult {
  /** a [B, H, W] */
  map: tf.Tensor3D;
}

/**
 * Soft visual attention: a mask over the locations of an image, or of a map of features.
 *
 *     a = softmax_{n,m}(e)  or  a = σ(e),    g[i, j] = Σ_{(n,m) in cell (i,j)} a[n, m] · I[n, m]
 *
 * Symbols: e the logits, a the mask, I the image, g the glimpse, whose pixels are the sums of h × w equal cells.
 * Shapes: image [B, H, W, C], logits [B, H, W] → output [B, h, w, C], map [B, H, W]; H and W multiples of h and w.
 * Conventions: size [H, W] gives the masked image a ⊙ I, size [1, 1] the context vector Σ a·I, of "Show, attend and
 * tell". The softmax shares one unit of attention among the locations (as that paper does); sigmoids may choose
 * several, or none. Hidden locations are computed all the same. Differentiable in image and logits.
 * Cost: O(B·H·W·C). Paper: Xu et al. 2015, §4.2, arxiv.org/abs/1502.03044.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @draws
 * const [row, column] = [tf.range(0, 20), tf.reshape(tf.range(0, 20), [20, 1])];
 * const bump = (y, x) => tf.exp(tf.mul(tf.add(tf.square(tf.sub(row, x)), tf.square(tf.sub(column, y))), -0.06));
 * const logits = tf.reshape(tf.sub(tf.mul(tf.maximum(bump(6, 5), bump(13, 14)), 8), 4), [1, 20, 20]);
 * const maps = ["softmax", "sigmoid"].map((normalize) => softMask(tf.ones([1, 20, 20, 1]), { logits }, [1, 1], { normalize }).map);
 * return tf.concat(maps.map((map) => tf.div(map, tf.max(map))));
 * @example
 * const image = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
 * const { output, map } = softMask(image, { logits: tf.zeros([1, 2, 2]) }, [1, 1]);
 * tf.squeeze(output); // 2.5
 */
export function softMask(
  image: tf.Tensor4D,
  { logits }: SoftMaskParameters,
  size: ImageSize,
  { normalize = "softmax" }: SoftMaskOptions = {},
): SoftMaskResult {
  const op = "softMask";
  checkGlimpse(op, image, size);
  const [B, H, W, C] = image.shape;
  const [h, w] = size;
  checkTensors(op, [{ name: "logits", tensor: logits, letters: "[B, H, W]", shape: [B, H, W] }]);
  checkCells(op, size, [H, W]);
  const choices = ["softmax", "sigmoid"];
  if (!choices.includes(normalize))
    throw new OptionError("OPTION", notAChoice({ op, name: "normalize", choices, got: normalize }));
  return tidy(() => {
    const flat = tf.reshape(logits, [B, H * W]);
    const map = tf.reshape(normalize === "softmax" ? tf.softmax(flat) : tf.sigmoid(flat), [
      B,
      H,
      W,
    ]) as tf.Tensor3D;
    // One cell is a product: the masked image is never stored.
    if (h === 1 && w === 1) {
      const context = tf.matMul(tf.reshape(map, [B, 1, H * W]), tf.reshape(image, [B, H * W, C]));
      return { output: tf.reshape(context, [B, 1, 1, C]), map };
    }
    const masked = tf.mul(tf.expandDims(map, 3), image) as tf.Tensor4D;
    if (h === H && w === W) return { output: masked, map };
    const cells = tf.sum(tf.reshape(masked, [B * h, H / h, w, W / w, C]), [1, 3]);
    return { output: tf.reshape(cells, [B, h, w, C]), map };
  });
}

export interface DoublyStochasticOptions {
  /** λ, the penalty's weight. @default 1 */
  weight?: number;
  /** What every location is to get over all steps. @default 1 */
  total?: number;
  /** Bool [B, T], true for the steps that count: those that are no padding. @default all of them */
  allow?: tf.Tensor2D;
}

/**
 * Doubly stochastic attention: a penalty on masks that, over all steps, forget some locations and dwell on others.
 *
 *     λ Σ_i (τ − Σ_t α_ti)²,    the mean over the batch
 *
 * Symbols: α_ti the mask of step t at location i, λ = weight, τ = total. Shapes: α [B, T, …], any axes of locations →
 * scalar.
 * Conventions: with softmax masks Σ_i Σ_t α_ti = T, so every location can get 1 only where there are T locations;
 * otherwise give τ = T/L. Differentiable in α. Cost: O(B·T·L). Paper: Xu et al. 2015, §4.2.1, eq. 14,
 * arxiv.org/abs/1502.03044.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @example
 * const alpha = tf.tensor3d([1, 0, 1, 0], [1, 2, 2]); // two steps, both at the first of two locations
 * doublyStochasticPenalty(alpha, { weight: 0.5 }); // 1
 */
export function doublyStochasticPenalty(
  alpha: tf.Tensor,
  { weight = 1, total = 1, allow }: DoublyStochasticOptions = {},
): tf.Scalar {
  const op = "doublyStochasticPenalty";
  if (alpha.rank < 3)
    throw new ShapeError(
      "RANK",
      wrongRank({ op, name: "alpha [B, T, …]", rank: "3 or more", shape: alpha.shape }),
    );
  const [B, T] = alpha.shape as [number, number];
  if (allow) {
    checkRank(op, "allow [B, T]", allow, 2);
    checkTensors(op, [{ name: "allow", tensor: allow, letters: "[B, T]", shape: [B, T], dtype: "bool" }]);
  }
  if (!(weight >= 0))
    throw new OptionError("OPTION", outOfRange({ op, name: "weight", rule: "0 or more", got: weight }));
  return tidy(() => {
    const masks = tf.reshape(alpha, [B, T, -1]);
    const counted = allow ? tf.where(tf.expandDims(allow, 2), masks, tf.scalar(0)) : masks;
    const missing = tf.sub(total, tf.sum(counted, 1));
    return tf.mul(tf.mean(tf.sum(tf.square(missing), 1)), weight) as tf.Scalar;
  });
}

function checkCells(op: string, [h, w]: ImageSize, [H, W]: ImageSize): void {
  if (H % h === 0 && W % w === 0) return;
  throw new ShapeError("SHAPE", {
    op,
    rule: `size [h, w] must divide the image's [H, W] = [${H}, ${W}] into equal cells`,
    got: `[${h}, ${w}]`,
    remedy: `[${H}, ${W}] gives the masked image, [1, 1] its sum`,
  });
}
