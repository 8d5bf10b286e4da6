import * as tf from "@tensorflow/tfjs-core";
import { gaussianGlimpse, gridSample } from "../../src/attention/glimpse/index.ts";
import { prepare } from "../descend.ts";

/** A gradient below this is none. */
const LEAST = 1e-6;

/** How many pixels of an image one pixel of a glimpse depends on: those whose gradient is above 10⁻⁶. */
export async function support(): Promise<{ gaussian: number; transformer: number }> {
  await prepare();
  const counted = (f: (image: tf.Tensor4D) => tf.Tensor) =>
    tf.tidy(() => {
      const gradient = tf.grad((image: tf.Tensor) => f(image as tf.Tensor4D))(tf.zeros([1, 32, 32, 1]));
      return gradient.dataSync().filter((d) => Math.abs(d) > LEAST).length;
    });
  const number = (value: number) => tf.tensor1d([value]);
  return {
    gaussian: counted((image) => {
      const axis = (u: number) => ({ u: number(u), d: number(1), s: number(1) });
      return gaussianGlimpse(image, { y: axis(15.3), x: axis(14.6) }, [1, 1]).output;
    }),
    transformer: counted((image) => {
      const point = tf.tensor4d([(2 * 14.6) / 31 - 1, (2 * 15.3) / 31 - 1], [1, 1, 1, 2]);
      return gridSample(image, point, { alignCorners: true });
    }),
  };
}
