import * as tf from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { notAChoice } from "../../core/faults.ts";
import { crop } from "../../ops/crop.ts";
import { tidy } from "../../ops/tidy.ts";
import { checkGlimpse, checkPerExample, type GlimpseResult, type ImageSize } from "./glimpse.ts";
import { notifyCrop } from "./notify.ts";

export interface HardCropParameters {
  /** [B], int32: the first row of each crop. */
  y: tf.Tensor1D;
  /** [B], int32: its first column. */
  x: tf.Tensor1D;
}

export interface HardCropOptions {
  /**
   * What a crop does that reaches beyond the image: "error" throws, and reads y and x from the device for it; "clamp"
   * moves the crop to the nearest place inside; "zeros" fills with 0. There is no default.
   */
  outside: "error" | "clamp" | "zeros";
}

/**
 * Hard attention on an image: a crop, which is indexing.
 *
 *     g[i, j] = I[y + i, x + j],    0 ≤ i < h, 0 ≤ j < w
 *
 * Symbols: I the image, g the glimpse, (y, x) the crop's first pixel. Shapes: image [B, H, W, C], y and x [B] int32 →
 * output [B, h, w, C].
 * Conventions: the pixels come out bit for bit, each example from its own place. The gradient reaches the image; none
 * reaches y and x, since indexing has none: learn them by the score function (REINFORCE), or take a soft glimpse.
 * Cost: O(B·h·w·C). Paper: Mnih et al. 2014, §3.1, arxiv.org/abs/1406.6247.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @draws
 * const image = tf.reshape(tf.range(0, 144), [1, 12, 12, 1]);
 * const [y, x] = [tf.tensor1d([3], "int32"), tf.tensor1d([6], "int32")];
 * const seen = tf.grad((image) => hardCrop(image, { y, x }, [5, 4], { outside: "error" }).output);
 * return seen(image);
 * @example
 * const image = tf.tensor4d([0, 1, 2, 3, 4, 5], [1, 2, 3, 1]);
 * const [y, x] = [tf.tensor1d([0], "int32"), tf.tensor1d([1], "int32")];
 * const { output } = hardCrop(image, { y, x }, [2, 2], { outside: "error" });
 * tf.squeeze(output); // [[1, 2], [4, 5]]
 */
export function hardCrop(
  image: tf.Tensor4D,
  { y, x }: HardCropParameters,
  size: ImageSize,
  options: HardCropOptions,
): GlimpseResult {
  const op = "hardCrop";
  checkGlimpse(op, image, size);
  const [B, H, W] = image.shape;
  const [h, w] = size;
  checkPerExample(op, B, { y, x }, "int32");
  const { outside } = options ?? {};
  checkOutside(op, { y, x }, size, [H, W], outside);
  return tidy(() => {
    const move = (start: tf.Tensor1D, last: number) =>
      tf.minimum(tf.maximum(start, tf.scalar(0, "int32")), tf.scalar(last, "int32")) as tf.Tensor1D;
    const from = outside === "clamp" ? [move(y, H - h), move(x, W - w)] : [y, x];
    notifyCrop(op, image, from, size);
    return { output: crop(image, from[0]!, from[1]!, size) };
  });
}

function checkOutside(
  op: string,
  { y, x }: HardCropParameters,
  [h, w]: ImageSize,
  [H, W]: ImageSize,
  outside: HardCropOptions["outside"],
): void {
  const choices = ["error", "clamp", "zeros"];
  if (!choices.includes(outside))
    throw new OptionError("OPTION", notAChoice({ op, name: "outside", choices, got: outside }));
  if (outside === "zeros") return;
  if (h > H || w > W) {
    throw new ShapeError("SHAPE", {
      op,
      rule: `size [h, w] must be at most the image's [H, W] = [${H}, ${W}] here`,
      got: `[${h}, ${w}]`,
      remedy: 'take a smaller crop, or outside: "zeros"',
    });
  }
  if (outside === "clamp") return;
  const [tops, lefts] = [y.dataSync(), x.dataSync()];
  const [lastY, lastX] = [H - h, W - w];
  tops.forEach((top, example) => {
    const left = lefts[example]!;
    if (top >= 0 && top <= lastY && left >= 0 && left <= lastX) return;
    throw new OptionError("OPTION", {
      op,
      rule:
        `with outside: "error" a crop must lie within the image, y from 0 to H − h=${lastY} and x from 0 to ` +
        `W − w=${lastX}`,
      got: `y=${top} and x=${left} for example ${example}`,
      remedy: 'move it, or use outside: "clamp" or "zeros"',
      example,
    });
  });
}
