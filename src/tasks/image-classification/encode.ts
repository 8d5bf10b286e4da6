import * as tf from "@tensorflow/tfjs-core";
import type { ForwardOptions, Transformer } from "../../models/transformer/transformer.ts";
import { gridOf, type ImageFormat } from "./config.ts";
import { patchesOf } from "./patches.ts";

/** States of grey images: pixels [N, height, width] → [N, 1 + patches, C], the class token's first. */
export function encodeImages(
  model: Transformer,
  pixels: ArrayLike<number>,
  format: ImageFormat,
  options: ForwardOptions = {},
): tf.Tensor3D {
  const [rows, columns] = gridOf(format);
  const N = pixels.length / (format.height * format.width);
  const tokens = tf.tensor3d(patchesOf(pixels, format), [N, rows * columns, format.patch ** 2]);
  return model.encode({ tokens }, options);
}
