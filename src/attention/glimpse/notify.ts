import * as tf from "@tensorflow/tfjs-core";
import { glimpseCalls } from "../../ops/observe.ts";
import type { GaussianParameters } from "./gaussian-mask.ts";
import type { ImageSize } from "./glimpse.ts";

/** Notifies a capture of a Gaussian glimpse. */
export function notifyGaussian(
  op: string,
  image: tf.Tensor4D,
  { y, x }: GaussianParameters,
  size: ImageSize,
): void {
  const { observer } = glimpseCalls;
  if (!observer) return;
  const parameters = tf.stack([y.u, y.d, y.s, x.u, x.d, x.s], 1);
  observer({ op, image, parameters, size });
}

/** A deviation, in pixels, that sees one of them. */
const POINT = 0.001;

/** Notifies a capture of a crop from (y, x), int32: the Gaussian glimpse of stride 1 and next to no deviation. */
export function notifyCrop(
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
  notifyGaussian(op, image, { y: y!, x: x! }, size);
}

/**
 * Notifies a capture of a spatial transformer. Where −1 and 1 are edges, θ is turned into that of the same places with
 * aligned corners: a glimpse's row of w pixels then has (w − 1)/w of the coordinates, an image's W/(W − 1).
 */
export function notifyAffine(
  op: string,
  image: tf.Tensor4D,
  theta: tf.Tensor3D,
  size: ImageSize,
  alignCorners: boolean,
): void {
  const { observer } = glimpseCalls;
  if (!observer) return;
  observer({ op, image, parameters: alignCorners ? theta : betweenCorners(theta, image, size), size });
}

function betweenCorners(theta: tf.Tensor3D, { shape: [, H, W] }: tf.Tensor4D, [h, w]: ImageSize): tf.Tensor {
  const from = tf.tensor1d([(w - 1) / w, (h - 1) / h, 1]);
  // An image of one pixel has one place, 0, wherever its corners are.
  const to = tf.tensor2d([W === 1 ? 0 : W / (W - 1), H === 1 ? 0 : H / (H - 1)], [2, 1]);
  return tf.mul(tf.mul(theta, from), to);
}
