import * as tf from "@tensorflow/tfjs-core";
import { glimpseCalls } from "../../ops/glimpse-calls.ts";
import type { GaussianParameters } from "./gaussian-mask.ts";
import type { ImageSize } from "./glimpse.ts";

/** Tells a capture of a Gaussian glimpse. */
export function tellGaussian(
  op: string,
  image: tf.Tensor4D,
  { y, x }: GaussianParameters,
  size: ImageSize,
): void {
  const tell = glimpseCalls.observer;
  if (!tell) return;
  const parameters = tf.stack([y.u, y.d, y.s, x.u, x.d, x.s], 1);
  tell({ op, image, parameters, size });
}

/**
 * Tells a capture of a spatial transformer. Where −1 and 1 are edges, θ is turned into that of the same places with
 * aligned corners: a glimpse's row of w pixels then has (w − 1)/w of the coordinates, an image's W/(W − 1).
 */
export function tellAffine(
  op: string,
  image: tf.Tensor4D,
  theta: tf.Tensor3D,
  size: ImageSize,
  alignCorners: boolean,
): void {
  const tell = glimpseCalls.observer;
  if (!tell) return;
  const [, H, W] = image.shape;
  const [h, w] = size;
  const from = tf.tensor1d([(w - 1) / w, (h - 1) / h, 1]);
  // An image of one pixel has one place, 0, wherever its corners are.
  const to = tf.tensor2d([W === 1 ? 0 : W / (W - 1), H === 1 ? 0 : H / (H - 1)], [2, 1]);
  const parameters = alignCorners ? theta : tf.mul(tf.mul(theta, from), to);
  tell({ op, image, parameters, size });
}
