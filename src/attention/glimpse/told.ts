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

/** A deviation, in pixels, that sees one of them. */
const POINT = 0.001;

/** Tells a capture of a crop from (y, x), int32: the Gaussian glimpse of stride 1 and next to no deviation. */
export function tellCrop(
  op: string,
  image: tf.Tensor4D,
  from: readonly tf.Tensor1D[],
  size: ImageSize,
): void {
  if (!glimpseCalls.observer) return;
  const [y, x] = from.map((u) => {
    const d = tf.ones<tf.Rank.R1>(u.shape);
    return { u: tf.cast(u, "float32"), d, s: tf.mul<tf.Tensor1D>(d, POINT) };
  });
  tellGaussian(op, image, { y: y!, x: x! }, size);
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
  tell({ op, image, parameters: alignCorners ? theta : betweenCorners(theta, image, size), size });
}

function betweenCorners(theta: tf.Tensor3D, { shape: [, H, W] }: tf.Tensor4D, [h, w]: ImageSize): tf.Tensor {
  const from = tf.tensor1d([(w - 1) / w, (h - 1) / h, 1]);
  // An image of one pixel has one place, 0, wherever its corners are.
  const to = tf.tensor2d([W === 1 ? 0 : W / (W - 1), H === 1 ? 0 : H / (H - 1)], [2, 1]);
  return tf.mul(tf.mul(theta, from), to);
}
