/** The gradients of TensorFlow.js' own operations, which its core alone does not know. */
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import * as tf from "@tensorflow/tfjs-core";

/** The gradient of a number that a function makes of a tensor, as numbers. */
export function gradientOf(f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor): Float32Array {
  return tf.tidy(() => tf.grad(f)(x).dataSync() as Float32Array);
}

/** Adam's way down: heed's optimizer and its gradients by name. */
export { Adam } from "../../src/train/adam.ts";
export { namedGradients } from "../../src/train/named-gradients.ts";
