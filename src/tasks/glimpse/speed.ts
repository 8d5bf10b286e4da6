import * as tf from "@tensorflow/tfjs-core";
import { gaussianGlimpse, gridSample, spatialTransformer } from "../../attention/glimpse/index.ts";
import { loadGradients } from "../../host/gradients.ts";
import { useHeedBackend } from "../../host/select.ts";

/** Sides of the image and of the glimpse. */
export const SIZES = [
  [32, 8],
  [256, 32],
  [512, 64],
] as const;

/** Runs before any is timed are for the engine to compile. */
const [BATCH, WARM, RUNS] = [8, 30, 41];

/**
 * How many times longer a Gaussian glimpse takes than a spatial transformer of the same size, forward, a batch of 8
 * images of one channel: the medians of runs that take turns.
 *
 * @example
 * const { ratio } = await speed(32, 8);
 */
export async function speed(
  H: number,
  h: number,
): Promise<{ gaussian: number; transformer: number; ratio: number }> {
  await useHeedBackend();
  const image = tf.randomNormal<tf.Rank.R4>([BATCH, H, H, 1], 0, 1, "float32", 1);
  const number = (value: number) => tf.fill<tf.Rank.R1>([BATCH], value);
  const axis = { u: number(H / 4), d: number(H / 2 / h), s: number(1) };
  const [half, nothing] = [number(0.5), number(0)];
  const theta = { scaleX: half, shiftX: nothing, scaleY: half, shiftY: nothing };
  const run = {
    gaussian: () => gaussianGlimpse(image, { y: axis, x: axis }, [h, h]).output,
    transformer: () => spatialTransformer(image, theta, [h, h], { alignCorners: true }).output,
  };
  const times: Record<keyof typeof run, number[]> = { gaussian: [], transformer: [] };
  for (let n = 0; n < WARM + RUNS; n++) {
    for (const name of ["gaussian", "transformer"] as const) {
      const begun = performance.now();
      const output = run[name]();
      output.dataSync();
      const took = performance.now() - begun;
      output.dispose();
      if (n >= WARM) times[name].push(took);
    }
  }
  tf.dispose([image, axis, half, nothing]);
  const [gaussian, transformer] = [median(times.gaussian), median(times.transformer)];
  return { gaussian, transformer, ratio: gaussian / transformer };
}

function median(numbers: number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;
}

/**
 * How many pixels of an image one pixel of a glimpse depends on: those whose gradient is above `least`.
 *
 * @example
 * const { transformer } = await support();
 * transformer; // 4
 */
export async function support(least = 1e-6): Promise<{ gaussian: number; transformer: number }> {
  await loadGradients();
  await useHeedBackend();
  const counted = (f: (image: tf.Tensor4D) => tf.Tensor) =>
    tf.tidy(() => {
      const gradient = tf.grad((image: tf.Tensor) => f(image as tf.Tensor4D))(tf.zeros([1, 32, 32, 1]));
      return gradient.dataSync().filter((d) => Math.abs(d) > least).length;
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
