import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { boxLoss, intersectionOverUnion } from "../../src/models/glimpse/boxes.ts";
import { HierarchicalAttentiveTracker } from "../../src/models/glimpse/hierarchical-attentive-tracker.ts";
import { tidyData } from "../../src/ops/tidy.ts";
import { glimpse } from "../../src/viz/glimpse.ts";
import { gaussianBox } from "../../src/viz/image/boxes.ts";
import { descend, prepare } from "../descend.ts";
import { FRAME, OBJECT, type Videos, videoBatch } from "./videos.ts";

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

/** The true boxes at each time: [N, 4]. */
export function boxesOf({ places }: Videos): tf.Tensor2D[] {
  return places.map((at) => tf.tensor2d(at.map(([y, x]) => [y, x, OBJECT, OBJECT])));
}

/**
 * Tracking by glimpses: a recurrent network that sees each frame through Gaussians around the place where it believes the
 * object to be, and moves them on. Objects like it pass through it to distract. The same options give the same metrics.
 */
export async function trainTracker(options: TrackingOptions = {}): Promise<Tracked> {
  const { steps = 80, seed = 1, heldOut = 100, onProgress } = options;
  await prepare();
  const size = { features: 4, appearance: 64, units: 64 };
  const model = new HierarchicalAttentiveTracker({ image: [FRAME, FRAME], glimpse: [11, 11], ...size }, seed);
  const data = new RandomStream(seed, 1);
  const loss = () => {
    const videos = videoBatch(data, BATCH, TRAINED);
    const truth = boxesOf(videos);
    return boxLoss(model.track(videos.frames, truth[0]!).slice(1), truth.slice(1));
  };
  try {
    await descend(model.parameters.variables, loss, { steps, learningRate: 0.003, onProgress });
    return evaluate(model, new RandomStream(seed, 2), heldOut);
  } finally {
    model.dispose();
  }
}

function evaluate(model: HierarchicalAttentiveTracker, random: RandomStream, heldOut: number): Tracked {
  return tidyData(() => {
    const videos = videoBatch(random, heldOut, TESTED);
    const [first, ...others] = boxesOf(videos);
    const [, ...tracked] = model.track(videos.frames, first!);
    const mean = (found: readonly tf.Tensor2D[]) =>
      tf.mean(tf.stack(found.map((box, t) => intersectionOverUnion(box, others[t]!)))).dataSync()[0]!;
    const picture = draw(videos.frames.at(-1)!, tracked.at(-1)!, others.at(-1)!);
    return { overlap: mean(tracked), still: mean(others.map(() => first!)), picture };
  });
}

/** The first video's frame with both boxes, and what lies in each. */
function draw(frames: tf.Tensor4D, tracked: tf.Tensor2D, truth: tf.Tensor2D): string {
  const values = frames.dataSync().slice(0, FRAME * FRAME);
  const pixel = (y: number, x: number) =>
    y >= 0 && y < FRAME && x >= 0 && x < FRAME ? values[y * FRAME + x]! : 0;
  const glimpses = Object.entries({ tracked, truth }).map(([name, box]) => {
    const [top, left, height, width] = box.dataSync() as unknown as [number, number, number, number];
    const [rows, columns] = [Math.round(height), Math.round(width)];
    const seen = Array.from({ length: rows * columns }, (_, at) =>
      pixel(Math.round(top) + Math.floor(at / columns), Math.round(left) + (at % columns)),
    );
    return {
      name,
      glimpse: { height: rows, width: columns, values: seen },
      box: gaussianBox({ u: top, d: 1 }, { u: left, d: 1 }, [height, width]),
    };
  });
  const image = { height: FRAME, width: FRAME, values };
  return glimpse({ image, glimpses }, { title: `Tracking, frame ${TESTED}` });
}
