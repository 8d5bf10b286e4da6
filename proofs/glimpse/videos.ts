import * as tf from "@tensorflow/tfjs-core";
import type { RandomStream } from "../../src/core/random.ts";
import { CLASSES, GLYPH, INK } from "./glyphs.ts";

/** Sides of a frame and of an object, a glyph of twice its size; objects in a video, the first of which is followed. */
export const [FRAME, OBJECT, OBJECTS] = [40, 2 * GLYPH, 3];
/** Pixels a frame, at most, along each axis. */
const FASTEST = 1.2;

export interface Videos {
  /** One batch of images [N, FRAME, FRAME, 1] for each time. */
  frames: tf.Tensor4D[];
  /** The first pixel of the object that is followed, at each time, in each video. */
  places: (readonly [y: number, x: number])[][];
}

/** A place that moves on a straight line and is thrown back by the edges. */
function path(random: RandomStream, times: number): number[] {
  const room = FRAME - OBJECT;
  let at = room * random.uniform();
  let speed = FASTEST * (2 * random.uniform() - 1);
  return Array.from({ length: times }, () => {
    const here = Math.round(at);
    if (at + speed < 0 || at + speed > room) speed = -speed;
    at += speed;
    return here;
  });
}

/** Videos of glyphs that move through one another, no two of a class: one to follow, the others to distract. */
export function videoBatch(random: RandomStream, N: number, times: number): Videos {
  const pixels = Array.from({ length: times }, () => new Float32Array(N * FRAME * FRAME));
  const places: Videos["places"] = pixels.map(() => []);
  for (let n = 0; n < N; n++) {
    const classes = random.shuffle(Array.from({ length: CLASSES }, (_, k) => k));
    for (const kind of classes.slice(0, OBJECTS)) {
      const [ys, xs] = [path(random, times), path(random, times)];
      for (let t = 0; t < times; t++) {
        const [y, x] = [ys[t]!, xs[t]!];
        if (kind === classes[0]) places[t]!.push([y, x]);
        for (let i = 0; i < OBJECT; i++)
          for (let j = 0; j < OBJECT; j++)
            if (INK[kind]![i >> 1]![j >> 1]) pixels[t]![(n * FRAME + y + i) * FRAME + x + j] = 1;
      }
    }
  }
  return { frames: pixels.map((values) => tf.tensor4d(values, [N, FRAME, FRAME, 1])), places };
}
