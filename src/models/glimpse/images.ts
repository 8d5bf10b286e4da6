import type * as tf from "@tensorflow/tfjs-core";
import type { ImageSize } from "../../attention/glimpse/glimpse.ts";
import { checkRank, checkTensors } from "../../ops/check.ts";

/** What the models read: images [B, H, W, C] of one size. */
export interface ImageConfig {
  readonly image: ImageSize;
  readonly channels: number;
}

/** Throws unless images are float32 [B, H, W, C] of a model's size. @returns B */
export function checkImages(
  op: string,
  name: string,
  images: tf.Tensor4D,
  { image: [H, W], channels: C }: ImageConfig,
  batch?: number,
): number {
  checkRank(op, `${name} [B, H, W, C]`, images, 4);
  const B = batch ?? images.shape[0];
  checkTensors(op, [{ name, tensor: images, letters: "[B, H, W, C]", shape: [B, H, W, C] }]);
  return B;
}
