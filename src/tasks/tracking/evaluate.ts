import { RandomStream } from "../../core/random.ts";
import { composeVideo, type FrameBox, type Video } from "./compose.ts";
import type { DigitPool } from "./digits.ts";
import type { DigitTracker } from "./tracker.ts";

/** How well digits are followed that are hidden for three frames. */
export interface Evaluation {
  videos: number;
  /** Shares of the videos whose digit is followed in the last frame before it is hidden. */
  before: number;
  baselineBefore: number;
  /** Shares of the videos whose digit is followed in the first frame in which it is seen again. */
  reappeared: number;
  baselineReappeared: number;
  /** Shares of the videos whose digit is followed in the last frame, the third after it came out again. */
  recovery: number;
  baselineRecovery: number;
  /** recovery / baselineRecovery; null where the baseline finds none again. */
  ratio: number | null;
  /** Intersection over union with the true box while the digit is to be seen, the mean over frames after the first. */
  overlap: number;
  baselineOverlap: number;
  seconds: number;
}

/** Frames before the digit is hidden, those in which it is, and those after. */
const [BEFORE, HIDDEN, AFTER] = [5, 3, 3];
const TIMES = BEFORE + HIDDEN + AFTER;
/** The frames in which a test video's digit is hidden, the first and the one after the last. */
export const HIDDEN_FRAMES = [BEFORE, BEFORE + HIDDEN] as const;
/** Intersection over union from which a digit is followed. */
const FOLLOWED = 0.5;
/** Streams from here on are those of test videos. */
const FIRST_STREAM = 2 ** 42;

/** Video `n` of a test: its digit is hidden for three frames. A pure function of the seed, the number and the digits. */
export function hiddenVideo(pool: DigitPool, seed: number, n: number, distractors: number): Video {
  const random = new RandomStream(seed, FIRST_STREAM + n);
  return composeVideo(pool, random, { times: TIMES, distractors, hidden: HIDDEN_FRAMES });
}

/** Intersection over union of two boxes. */
export function overlapOf(a: FrameBox, b: FrameBox): number {
  const along = (n: 0 | 1) =>
    Math.max(0, Math.min(a[n] + a[n + 2]!, b[n] + b[n + 2]!) - Math.max(a[n], b[n]));
  const common = along(0) * along(1);
  return common / (a[2] * a[3] + b[2] * b[3] - common);
}

/** Composes test videos, in which a digit is hidden for three frames, and follows it with the model and its baseline. */
export function evaluate(tracker: DigitTracker, pool: DigitPool): Evaluation {
  const { seed, distractors, testVideos: videos } = tracker.card.training.recipe;
  const all = Array.from({ length: videos }, (_, n) => hiddenVideo(pool, seed, n, distractors));
  const begun = performance.now();
  const model = scored(all, tracker.followAll(all, "model"));
  const baseline = scored(all, tracker.followAll(all, "baseline"));
  const seconds = (performance.now() - begun) / 1000;
  return {
    videos,
    before: model.before,
    baselineBefore: baseline.before,
    reappeared: model.reappeared,
    baselineReappeared: baseline.reappeared,
    recovery: model.recovery,
    baselineRecovery: baseline.recovery,
    ratio: baseline.recovery > 0 ? model.recovery / baseline.recovery : null,
    overlap: model.overlap,
    baselineOverlap: baseline.overlap,
    seconds,
  };
}

function scored(videos: readonly Video[], found: readonly (readonly FrameBox[])[]) {
  const overlaps = videos.map(({ boxes }, n) => boxes.map((box, t) => overlapOf(box, found[n]![t]!)));
  const share = (t: number) => overlaps.filter((row) => row[t]! >= FOLLOWED).length / videos.length;
  const seen = overlaps.flatMap((row) => row.filter((_, t) => t > 0 && (t < BEFORE || t >= BEFORE + HIDDEN)));
  return {
    before: share(BEFORE - 1),
    reappeared: share(BEFORE + HIDDEN),
    recovery: share(TIMES - 1),
    overlap: seen.reduce((sum, overlap) => sum + overlap, 0) / seen.length,
  };
}
