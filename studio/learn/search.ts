/** The experiment of the glimpses: a crop is searched by its gradient, by Gaussians and by a spatial transformer. */
import * as tf from "@tensorflow/tfjs-core";
import { gaussianGlimpse } from "../../src/attention/glimpse/gaussian-glimpse.ts";
import { hardCrop } from "../../src/attention/glimpse/hard-crop.ts";
import { windowAffine } from "../../src/attention/glimpse/resize.ts";
import { spatialTransformer } from "../../src/attention/glimpse/spatial-transformer.ts";
import { Adam, namedGradients } from "../call/gradients.ts";

/** Side of the image, of the crop, and the crop's true place in both axes. */
export const [SIDE, CROP, PLACE] = [40, 12, 14];
/** σ stays above this: narrower Gaussians see one pixel each. */
const NARROWEST = 0.3;
export const STEPS = 160;
/** A search has found its place where it ends within this distance. */
export const FOUND = 0.7;

export type Kind = "gaussian" | "transformer";

export interface SearchOptions {
  /** How far from the true place it starts, in pixels. */
  readonly offset: number;
  /** In which direction, in radians. */
  readonly direction: number;
  /** The first deviation of the Gaussians. */
  readonly sigma: number;
  readonly seed: number;
}

export type Point = readonly [y: number, x: number];

/** A light spot at the crop's place, with a fine texture all over. */
function thing(seed: number): tf.Tensor4D {
  return tf.tidy(() => {
    const textures = [0.3, 1].map((sigma, n) => {
      const noise = tf.randomNormal<tf.Rank.R4>([1, SIDE, SIDE, 1], 0, 1, "float32", 17 * seed + n);
      const axis = { u: tf.tensor1d([0]), d: tf.tensor1d([1]), s: tf.tensor1d([sigma]) };
      const smooth = gaussianGlimpse(noise, { y: axis, x: axis }, [SIDE, SIDE]).output;
      return tf.mul(tf.div(smooth, tf.sqrt(tf.mean(tf.square(smooth)))), 0.6);
    });
    const fromCentre = tf.div(tf.sub(tf.range(0, SIDE), PLACE + (CROP - 1) / 2), 6);
    const bell = tf.exp(tf.mul(tf.square(fromCentre), -0.5));
    const spot = tf.mul(tf.reshape(bell, [1, SIDE, 1, 1]), tf.reshape(bell, [1, 1, SIDE, 1]));
    return tf.addN([...textures, tf.mul(spot, 3)]) as tf.Tensor4D;
  });
}

/** The picture that is searched, as rows from 0 to 1. */
export function pictureOf(seed: number): number[][] {
  const image = thing(seed);
  const rows = (tf.tidy(() => tf.reshape(image, [SIDE, SIDE]).arraySync()) as number[][]).map((row) => [
    ...row,
  ]);
  image.dispose();
  const all = rows.flat();
  const [low, high] = [Math.min(...all), Math.max(...all)];
  return rows.map((row) => row.map((x) => (x - low) / (high - low)));
}

/**
 * Searches for the crop: the place of the glimpse (and the deviation of its Gaussians) follows the squared difference from the
 * crop at the true place. Yields the place every few steps, so that a page can draw.
 */
export function* search(
  kind: Kind,
  { offset, direction, sigma, seed }: SearchOptions,
): Generator<Point, void> {
  const image = thing(seed);
  const place = tf.tensor1d([PLACE], "int32");
  const target = hardCrop(image, { y: place, x: place }, [CROP, CROP], { outside: "error" }).output;
  const free = (value: number) => tf.tidy(() => tf.variable(tf.tensor1d([value])));
  const y = free(PLACE + offset * Math.sin(direction));
  const x = free(PLACE + offset * Math.cos(direction));
  const s = free(Math.log(sigma - NARROWEST));
  const [step, side] = [tf.tensor1d([1]), tf.tensor1d([CROP])];
  const glimpse = () => {
    if (kind === "gaussian") {
      const axis = (u: tf.Variable) => ({
        ...{ u: u as unknown as tf.Tensor1D, d: step },
        s: tf.add(tf.exp(s), NARROWEST) as tf.Tensor1D,
      });
      return gaussianGlimpse(image, { y: axis(y), x: axis(x) }, [CROP, CROP]).output;
    }
    const window = {
      top: y as unknown as tf.Tensor1D,
      left: x as unknown as tf.Tensor1D,
      height: side,
      width: side,
    };
    const theta = windowAffine(window, [SIDE, SIDE], { alignCorners: true });
    return spatialTransformer(image, theta, [CROP, CROP], { alignCorners: true, padding: "border" }).output;
  };
  const loss = () => tf.mean(tf.square(tf.sub(glimpse(), target))) as tf.Scalar;
  const variables: Record<string, tf.Variable> = kind === "gaussian" ? { y, x, s } : { y, x };
  const adam = new Adam({ learningRate: 0.15 });
  const where = (): Point => [y.dataSync()[0]!, x.dataSync()[0]!];
  try {
    yield where();
    for (let n = 1; n <= STEPS; n++) {
      const { grads } = namedGradients(variables, () => tf.tidy(loss));
      adam.learningRate = 0.15 * Math.min(1, (3 * (STEPS - n)) / STEPS);
      adam.apply(grads, variables);
      tf.dispose(grads);
      if (n % 4 === 0) yield where();
    }
  } finally {
    adam.dispose();
    tf.dispose([image, place, target, y, x, s, step, side]);
  }
}

/** How far a place is from the true one, in pixels. */
export const distanceOf = ([y, x]: Point): number => Math.hypot(y - PLACE, x - PLACE);
