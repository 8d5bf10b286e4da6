import * as tf from "@tensorflow/tfjs-core";
import { SCENE_SIDE } from "./compose.ts";

/** Pixels [scenes, SCENE_SIDE, SCENE_SIDE], 0 … 255, as a tensor [B, SCENE_SIDE, SCENE_SIDE, 1] from 0 to 1. */
export function sceneTensor(pixels: Uint8Array): tf.Tensor4D {
  const shape: [number, number, number, number] = [
    pixels.length / SCENE_SIDE ** 2,
    SCENE_SIDE,
    SCENE_SIDE,
    1,
  ];
  return tf.tensor4d(
    Float32Array.from(pixels, (value) => value / 255),
    shape,
  );
}
