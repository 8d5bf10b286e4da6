import * as tf from "@tensorflow/tfjs-core";
import type { RandomStream } from "../../src/core/random.ts";
import { CLASSES, GLYPH, INK } from "./glyphs.ts";

/** Sides of a frame and of an object, a glyph of twice its size; objects in a video, the first of which is followed. */
export const [FRAME, OBJECT, OBJECTS] = [40, 2 * GLYPH, 3];

export interface VideoOptions {
  /** Side of a frame. @default FRAME */
  side?: number;
  /** How many objects there are, the first of which is followed. @default OBJECTS */
  objects?: number;
  /** Whether no object meets an edge. @default false: edges throw them back */
  straight?: boolean;
  /** Pixels a frame along each axis, at least and at most. @default [0, 1.2] */
  speed?: readonly [slowest: number, fastest: number];
  /** Frames in which the object that is followed is not to be seen, the first and the one after the last. @default none */
  hidden?: readonly [from: number, to: number];
}

export interface Videos {
  /** One batch of images [N, side, side, 1] for each time. */
  frames: tf.Tensor4D[];
  /** The first pixel of the object that is followed, at each time, in each video. */
  places: (readonly [y: number, x: number])[][];
}

/** A place that moves on a straight line and is thrown back by the edges, or begins where it will not meet one. */
function path(
  random: RandomStream,
  times: number,
  room: number,
  { speed: [slowest, fastest], straight }: Pick<Required<VideoOptions>, "speed" | "straight">,
): number[] {
  const begin = random.uniform();
  const share = 2 * random.uniform() - 1;
  let speed = Math.sign(share) * slowest + (fastest - slowest) * share;
  const way = speed * (times - 1);
  let at = straight ? Math.max(0, -way) + (room - Math.abs(way)) * begin : room * begin;
  return Array.from({ length: times }, () => {
    const here = Math.round(at);
    if (!straight && (at + speed < 0 || at + speed > room)) speed = -speed;
    at += speed;
    return here;
  });
}

/** Videos of glyphs that move through one another, no two of a class: one to follow, the others to distract. */
export function videoBatch(
  random: RandomStream,
  N: number,
  times: number,
  options: VideoOptions = {},
): Videos {
  const { side = FRAME, objects = OBJECTS, straight = false, speed = [0, 1.2] } = options;
  const { hidden: [from, to] = [0, 0] } = options;
  const along = () => path(random, times, side - OBJECT, { speed, straight });
  const pixels = Array.from({ length: times }, () => new Float32Array(N * side * side));
  const places: Videos["places"] = pixels.map(() => []);
  for (let n = 0; n < N; n++) {
    const classes = random.shuffle(Array.from({ length: CLASSES }, (_, k) => k));
    for (const kind of classes.slice(0, objects)) {
      const [ys, xs] = [along(), along()];
      for (let t = 0; t < times; t++) {
        const [y, x] = [ys[t]!, xs[t]!];
        if (kind === classes[0]) places[t]!.push([y, x]);
        if (kind === classes[0] && t >= from && t < to) continue;
        for (let i = 0; i < OBJECT; i++)
          for (let j = 0; j < OBJECT; j++)
            if (INK[kind]![i >> 1]![j >> 1]) pixels[t]![(n * side + y + i) * side + x + j] = 1;
      }
    }
  }
  return { frames: pixels.map((values) => tf.tensor4d(values, [N, side, side, 1])), places };
}
