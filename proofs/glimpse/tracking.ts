import * as tf from "@tensorflow/tfjs-core";
import { gaussianGlimpse } from "../../src/attention/glimpse/index.ts";
import { RandomStream } from "../../src/core/random.ts";
import { linear } from "../../src/ops/linear.ts";
import { lstmCell } from "../../src/ops/lstm-cell.ts";
import { tidyData } from "../../src/ops/tidy.ts";
import { glimpse } from "../../src/viz/glimpse.ts";
import { gaussianBox } from "../../src/viz/image/boxes.ts";
import { descend, prepare } from "../descend.ts";
import { constant, weight } from "../variables.ts";
import { FRAME, OBJECT, type Videos, videoBatch } from "./videos.ts";

/** Side of the glimpse and its stride: a window of twice the object. Units of the hidden layer and of the memory. */
const [SIDE, STRIDE, HIDDEN, UNITS] = [11, 2, 96, 64];
const BATCH = 32;
/** Frames of a video in training, and of those that are measured. */
const [TRAINED, TESTED] = [10, 20];

export interface TrackingOptions {
  /** @default 80 */
  steps?: number;
  /** @default 1 */
  seed?: number;
  /** Videos that are measured. @default 100 */
  heldOut?: number;
  onProgress?: (share: number) => void;
}

export interface Tracked {
  /** Intersection over union of the box with the true one, the mean over frames after the first, and over videos. */
  overlap: number;
  /** The same of a box that stays where it was. */
  still: number;
  /** The last frame of a video with the tracker's box and the true one (SVG). */
  picture: string;
}

type Model = ReturnType<typeof makeModel>;

function makeModel(random: RandomStream) {
  const weights = (rows: number, columns: number, scale = 1) =>
    weight<tf.Tensor2D>(random, [rows, columns], scale / Math.sqrt(rows));
  const bias = (columns: number) => constant<tf.Tensor1D>([columns]);
  return {
    hiddenWeight: weights(2 * SIDE * SIDE, HIDDEN),
    hiddenBias: bias(HIDDEN),
    memoryWeight: weights(HIDDEN + UNITS, 4 * UNITS),
    memoryBias: bias(4 * UNITS),
    moveWeight: weights(UNITS, 2, 0.1),
    moveBias: bias(2),
  };
}

/** The Gaussians of a glimpse around centres [B] of one axis. */
function axisOf(centre: tf.Tensor1D) {
  const d = tf.fill<tf.Rank.R1>(centre.shape, STRIDE);
  const u = tf.sub(centre, (STRIDE * (SIDE - 1)) / 2) as tf.Tensor1D;
  return { u, d, s: tf.div(d, 2) as tf.Tensor1D };
}

function look(frame: tf.Tensor4D, centre: tf.Tensor2D): tf.Tensor2D {
  const [y, x] = tf.unstack(centre, 1) as [tf.Tensor1D, tf.Tensor1D];
  const { output } = gaussianGlimpse(frame, { y: axisOf(y), x: axisOf(x) }, [SIDE, SIDE]);
  return tf.reshape(output, [-1, SIDE * SIDE]);
}

/**
 * Follows from the true centres in the first frame: at each frame a glimpse around the last centre, beside the first
 * glimpse, which says what to follow; a memory; and a move.
 */
function follow(model: Model, frames: readonly tf.Tensor4D[], first: tf.Tensor2D): tf.Tensor2D[] {
  const dense = (x: tf.Tensor2D, name: "hidden" | "memory" | "move") =>
    linear(x, model[`${name}Weight`], model[`${name}Bias`]);
  const wanted = look(frames[0]!, first);
  let centre = first;
  let h = tf.zeros<tf.Rank.R2>([first.shape[0], UNITS]);
  let cell = h;
  return frames.slice(1).map((frame) => {
    const seen = tf.relu(dense(tf.concat2d([look(frame, centre), wanted], 1), "hidden"));
    [h, cell] = lstmCell(dense(tf.concat2d([seen, h], 1), "memory"), cell, h);
    centre = tf.add(centre, tf.mul(dense(h, "move"), OBJECT));
    return centre;
  });
}

/** The true centres at each time: [N, 2]. */
function centres({ places }: Videos): tf.Tensor2D[] {
  const half = (OBJECT - 1) / 2;
  return places.map((at) => tf.tensor2d(at.map(([y, x]) => [y + half, x + half])));
}

/**
 * Tracking by glimpses, after HART (Kosiorek et al. 2017, arxiv.org/abs/1706.09262): a recurrent network that sees each
 * frame through Gaussians around the place where it believes the object to be, and moves them on. Objects like it pass
 * through it to distract. The same options give the same metrics.
 */
export async function trainTracker(options: TrackingOptions = {}): Promise<Tracked> {
  const { steps = 80, seed = 1, heldOut = 100, onProgress } = options;
  await prepare();
  const model = makeModel(new RandomStream(seed));
  const data = new RandomStream(seed, 1);
  const loss = () => {
    const videos = videoBatch(data, BATCH, TRAINED);
    const [first, ...others] = centres(videos);
    const errors = follow(model, videos.frames, first!).map((centre, t) =>
      tf.mean(tf.abs(tf.sub(centre, others[t]!))),
    );
    return tf.div(tf.addN(errors), errors.length) as tf.Scalar;
  };
  try {
    await descend(model, loss, { steps, learningRate: 0.003, onProgress });
    return evaluate(model, new RandomStream(seed, 2), heldOut);
  } finally {
    tf.dispose(model);
  }
}

function evaluate(model: Model, random: RandomStream, heldOut: number): Tracked {
  return tidyData(() => {
    const videos = videoBatch(random, heldOut, TESTED);
    const [first, ...others] = centres(videos);
    const tracked = follow(model, videos.frames, first!);
    const mean = (boxes: readonly tf.Tensor2D[]) =>
      boxes.reduce((sum, box, t) => sum + overlap(box, others[t]!), 0) / boxes.length;
    const picture = draw(videos.frames.at(-1)!, tracked.at(-1)!, others.at(-1)!);
    return { overlap: mean(tracked), still: mean(others.map(() => first!)), picture };
  });
}

/** Mean intersection over union of boxes of the object's size with these centres [N, 2]. */
function overlap(a: tf.Tensor2D, b: tf.Tensor2D): number {
  const common = tf.relu(tf.sub(OBJECT, tf.abs(tf.sub(a, b))));
  const both = tf.prod(common, 1);
  return tf.mean(tf.div(both, tf.sub(2 * OBJECT ** 2, both))).dataSync()[0]!;
}

/** The first video's frame with both boxes, and what lies in each. */
function draw(frames: tf.Tensor4D, tracked: tf.Tensor2D, truth: tf.Tensor2D): string {
  const frame = tf.slice4d(frames, [0, 0, 0, 0], [1, -1, -1, -1]);
  const glimpses = Object.entries({ tracked, truth }).map(([name, centre]) => {
    const at = tf.slice2d(centre, [0, 0], [1, 2]);
    const [y, x] = Array.from(at.dataSync(), (c) => ({ u: c - (OBJECT - 1) / 2, d: 1 }));
    const values = Array.from(look(frame, at).dataSync());
    return {
      name,
      glimpse: { height: SIDE, width: SIDE, values },
      box: gaussianBox(y!, x!, [OBJECT, OBJECT]),
    };
  });
  const image = { height: FRAME, width: FRAME, values: Array.from(frame.dataSync()) };
  return glimpse({ image, glimpses }, { title: `Tracking, frame ${TESTED}` });
}
