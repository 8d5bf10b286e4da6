import * as tf from "@tensorflow/tfjs-core";
import {
  gaussianGlimpse,
  hardCrop,
  spatialTransformer,
  windowAffine,
} from "../../src/attention/glimpse/index.ts";
import { descend, prepare } from "../descend.ts";

/** Side of an image, of a crop, and the crop's true place in both axes. */
const [H, h, PLACE] = [64, 16, 24];
/** σ stays above this: narrower Gaussians see one pixel each, and stop half a pixel from the true place. */
const NARROWEST = 0.3;
const IMAGES = 2;
/** Radians from the true place, two for each image. */
const DIRECTIONS = [0.4, 2.5];
/** Pixels between the true place and the start. */
export const OFFSETS = Array.from({ length: 13 }, (_, offset) => offset);
/** A search has found its place where it ends within this distance. */
export const FOUND = 0.7;

export interface BasinOptions {
  /** The first standard deviation in pixels; without it, a spatial transformer searches. */
  sigma?: number;
  /** @default 300 */
  steps?: number;
  /** @default 1 */
  seed?: number;
  onProgress?: (share: number) => void;
}

/** The worst distance from the true place at the end, in pixels, for each of `OFFSETS`. */
export type Basin = number[];

interface Search {
  images: tf.Tensor4D;
  target: tf.Tensor4D;
  starts: readonly (readonly [y: number, x: number])[];
}

/** An image of one thing: a light spot of some pixels, at the crop's place, with a fine texture all over. */
function thing(seed: number): tf.Tensor4D {
  const textures = [0.3, 1].map((sigma, n) => {
    const noise = tf.randomNormal<tf.Rank.R4>([1, H, H, 1], 0, 1, "float32", 17 * seed + n);
    const axis = { u: tf.tensor1d([0]), d: tf.tensor1d([1]), s: tf.tensor1d([sigma]) };
    const smooth = gaussianGlimpse(noise, { y: axis, x: axis }, [H, H]).output;
    return tf.mul(tf.div(smooth, tf.sqrt(tf.mean(tf.square(smooth)))), 0.6);
  });
  const fromCentre = tf.div(tf.sub(tf.range(0, H), PLACE + (h - 1) / 2), 8);
  const bell = tf.exp(tf.mul(tf.square(fromCentre), -0.5));
  const spot = tf.mul(tf.reshape(bell, [1, H, 1, 1]), tf.reshape(bell, [1, 1, H, 1]));
  return tf.addN([...textures, tf.mul(spot, 3)]) as tf.Tensor4D;
}

/** One example for each image, offset and direction; all are searched at once, each with parameters of its own. */
function searches(seed: number): Search {
  const cases = Array.from({ length: IMAGES }, (_, n) => n).flatMap((n) =>
    OFFSETS.flatMap((offset) => DIRECTIONS.map((angle) => ({ n, offset, angle }))),
  );
  const { images, target } = tf.tidy(() => {
    const things = Array.from({ length: IMAGES }, (_, n) => thing(IMAGES * seed + n));
    const images = tf.concat(cases.map(({ n }) => things[n]!)) as tf.Tensor4D;
    const place = tf.fill([cases.length], PLACE, "int32") as tf.Tensor1D;
    const target = hardCrop(images, { y: place, x: place }, [h, h], { outside: "error" }).output;
    return { images, target };
  });
  const starts = cases.map(
    ({ offset, angle }) => [PLACE + offset * Math.sin(angle), PLACE + offset * Math.cos(angle)] as const,
  );
  return { images, target, starts };
}

/**
 * Searches for a crop by its gradient: from each offset, the place of a glimpse (and the deviation of its Gaussians)
 * follows the squared difference from the crop at the true place.
 */
export async function basin({ sigma, steps = 300, seed = 1, onProgress }: BasinOptions): Promise<Basin> {
  await prepare();
  const { images, target, starts } = searches(seed);
  const B = starts.length;
  const one = tf.ones<tf.Rank.R1>([B]);
  const side = tf.fill<tf.Rank.R1>([B], h);
  const free = (values: number[]) => tf.tidy(() => tf.variable(tf.tensor1d(values)));
  const y = free(starts.map(([top]) => top));
  const x = free(starts.map(([, left]) => left));
  const s = free(starts.map(() => Math.log((sigma ?? 1) - NARROWEST)));
  const glimpse = () => {
    if (sigma !== undefined) {
      const axis = (u: tf.Tensor1D) => ({ u, d: one, s: tf.add(tf.exp(s), NARROWEST) as tf.Tensor1D });
      return gaussianGlimpse(images, { y: axis(y), x: axis(x) }, [h, h]).output;
    }
    const theta = windowAffine({ top: y, left: x, height: side, width: side }, [H, H], {
      alignCorners: true,
    });
    return spatialTransformer(images, theta, [h, h], { alignCorners: true, padding: "border" }).output;
  };
  const loss = () => tf.sum(tf.mean(tf.square(tf.sub(glimpse(), target)), [1, 2, 3])) as tf.Scalar;
  const variables = { y, x, ...(sigma === undefined ? {} : { s }) };
  try {
    await descend(variables, loss, { steps, learningRate: 0.1, onProgress });
    const [tops, lefts] = [y.dataSync(), x.dataSync()];
    const distances = Array.from(tops, (top, n) => Math.hypot(top - PLACE, lefts[n]! - PLACE));
    const perOffset = DIRECTIONS.length;
    return OFFSETS.map((_, at) =>
      Math.max(...distances.filter((_, n) => Math.floor(n / perOffset) % OFFSETS.length === at)),
    );
  } finally {
    tf.dispose([images, target, one, side, y, x, s]);
  }
}

/** The largest offset up to which every search found its place; −1 where none did. */
export function reach(worst: Basin): number {
  const lost = worst.findIndex((distance) => !(distance <= FOUND));
  return lost < 0 ? OFFSETS.at(-1)! : lost - 1;
}
