import * as tf from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { boxLoss, intersectionOverUnion } from "../../src/models/glimpse/boxes.ts";
import { HierarchicalAttentiveTracker } from "../../src/models/glimpse/hierarchical-attentive-tracker.ts";
import { motionPenalty } from "../../src/models/glimpse/motion-prior.ts";
import { tidyData } from "../../src/ops/tidy.ts";
import { descend, descendUntilSettled, prepare, type Settled } from "../descend.ts";
import { meanOf } from "../statistics.ts";
import { boxesOf } from "./tracking.ts";
import { OBJECT, videoBatch } from "./videos.ts";

const [BATCH, LEARNING_RATE] = [24, 0.004];
/** One object in a large frame, so fast that what stays where it lost it does not see it again. */
const VIDEO = { side: 60, objects: 1, straight: true, speed: [2.5, 3.5] } as const;
/** Frames before the object is hidden, those in which it is, and those after. */
const [BEFORE, HIDDEN, AFTER] = [7, 3, 4];
const TIMES = BEFORE + HIDDEN + AFTER;
/** Frames of a video in training, none of them hidden. */
const TRAINED = 8;
/** λ of the penalty on changes of speed, in sides of the object. */
const WEIGHT = 0.1;
/** Intersection over union from which an object is followed. */
const FOLLOWED = 0.5;
/** Of a training until it stops improving: steps between two readings of the score, and videos of one, with nothing hidden. */
const [EVERY, VALIDATION] = [60, 200];
const STREAM = { training: 1, test: 2, validation: 3 } as const;

export interface OcclusionOptions {
  /** Whether the tracker has the prior: it looks where the object would be at its speed, and changes of speed are penalised. */
  prior: boolean;
  /** @default 120 */
  steps?: number;
  /** Whether it trains until it stops improving; `steps` are then the most at one rate. @default false */
  untilSettled?: boolean;
  /** @default 1 */
  seed?: number;
  /** Videos that are measured. @default 200 */
  heldOut?: number;
  onProgress?: ((share: number) => void) | undefined;
}

export interface Recovered extends Settled {
  /** The share of the videos whose object is followed in the last frame before it is hidden. */
  before: number;
  /** The share of all videos whose object is followed in the last frame, after it was hidden. */
  recovery: number;
}

/**
 * A tracker of fast objects meets what it never saw in training: the object is hidden for three frames. The same options give
 * the same metrics.
 */
export async function trainForOcclusion(options: OcclusionOptions): Promise<Recovered> {
  const { prior, steps = 120, untilSettled = false, seed = 1, heldOut = 200, onProgress } = options;
  await prepare();
  const size = { features: 4, appearance: 32, units: 32 };
  const motion = prior ? "coast" : "stay";
  const model = new HierarchicalAttentiveTracker(
    { image: [VIDEO.side, VIDEO.side], glimpse: [9, 9], ...size, motion },
    seed,
  );
  const data = new RandomStream(seed, STREAM.training);
  const loss = () => {
    const videos = videoBatch(data, BATCH, TRAINED, VIDEO);
    const truth = boxesOf(videos);
    const found = model.track(videos.frames, truth[0]!);
    const error = boxLoss(found.slice(1), truth.slice(1));
    if (!prior) return error;
    const track = found.map((box) => tf.div(box, OBJECT) as tf.Tensor2D);
    return tf.add(error, motionPenalty(track, { weight: WEIGHT })) as tf.Scalar;
  };
  try {
    const { variables } = model.parameters;
    const given = { steps, learningRate: LEARNING_RATE, clipNorm: 1, onProgress };
    let spread = 0;
    const score = () => {
      const overlaps = tidyData(() => overlapsOf(model, new RandomStream(seed, STREAM.validation)));
      const mean = meanOf(overlaps);
      spread = Math.sqrt(meanOf(overlaps.map((overlap) => (overlap - mean) ** 2)));
      return mean;
    };
    const until = { score, every: EVERY, error: () => spread / Math.sqrt(VALIDATION) };
    const went = untilSettled ? await descendUntilSettled(variables, loss, { ...given, until }) : undefined;
    if (!went) await descend(variables, loss, given);
    const found = tidyData(() => evaluate(model, new RandomStream(seed, STREAM.test), heldOut));
    return { ...found, ...(went ?? { steps, settled: false }) };
  } finally {
    model.dispose();
  }
}

/** Intersection over union in the last frame of new videos of as many frames as those of training. */
function overlapsOf(model: HierarchicalAttentiveTracker, random: RandomStream): number[] {
  const videos = videoBatch(random, VALIDATION, TRAINED, VIDEO);
  const truth = boxesOf(videos);
  const found = model.track(videos.frames, truth[0]!);
  return [...intersectionOverUnion(found.at(-1)!, truth.at(-1)!).dataSync()];
}

function evaluate(
  model: HierarchicalAttentiveTracker,
  random: RandomStream,
  heldOut: number,
): Omit<Recovered, keyof Settled> {
  const videos = videoBatch(random, heldOut, TIMES, { ...VIDEO, hidden: [BEFORE, BEFORE + HIDDEN] });
  const truth = boxesOf(videos);
  const found = model.track(videos.frames, truth[0]!);
  const followed = (t: number) =>
    Array.from(intersectionOverUnion(found[t]!, truth[t]!).dataSync(), (iou) => iou >= FOLLOWED);
  const [before, after] = [followed(BEFORE - 1), followed(TIMES - 1)];
  return { before: meanOf(before.map(Number)), recovery: meanOf(after.map(Number)) };
}
