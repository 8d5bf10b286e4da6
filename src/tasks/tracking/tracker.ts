import * as tf from "@tensorflow/tfjs-core";
import { capture } from "../../capture/capture.ts";
import { ShapeError } from "../../core/errors.ts";
import type { Trace } from "../../inspect/index.ts";
import { HierarchicalAttentiveTracker } from "../../models/glimpse/hierarchical-attentive-tracker.ts";
import { tidyData } from "../../ops/tidy.ts";
import type { Compared } from "../compared-models.ts";
import type { DraftCard } from "./card.ts";
import type { FrameBox } from "./compose.ts";
import { sideBySide } from "./draw.ts";
import { configOf, type TrackingModel } from "./read.ts";

/** What is followed: frames of one size, and the box in the first of them. */
export interface Footage {
  /** [height, width] of 0 … 1 each: light things in front of black. */
  readonly frames: readonly Float32Array[];
  readonly height: number;
  readonly width: number;
}

const OP = "DigitTracker";
const BATCH_SIZE = 50;

/**
 * Follows an object through frames, from its box in the first.
 *
 * @example
 * const tracker = await loadTracker();
 * const { frames, boxes } = hiddenVideo(drawnDigits(), 1, 0, 2);
 * tracker.follow({ frames, height: TRACKING_SIDE, width: TRACKING_SIDE }, boxes[0]).length; // 11
 * tracker.dispose();
 */
export class DigitTracker {
  readonly card: DraftCard;
  readonly #values: TrackingModel["values"];
  readonly #made = new Map<string, HierarchicalAttentiveTracker>();

  constructor({ card, values }: TrackingModel) {
    this.card = card;
    this.#values = values;
  }

  /**
   * The box in each frame, of which the first is the given one.
   *
   * @param which the tracker, or its baseline without the prior on motion @default "model"
   * @throws ShapeError SHAPE
   */
  follow({ frames, height, width }: Footage, box: FrameBox, which: Compared = "model"): FrameBox[] {
    checkFootage(frames, height, width);
    if (!(box.length === 4 && box.every(Number.isFinite) && box[2] > 0 && box[3] > 0)) {
      const fault = {
        op: OP,
        rule: "the first box must be top, left, height and width",
        got: `[${box.join(", ")}]`,
      };
      throw new ShapeError("SHAPE", { ...fault, remedy: "give a height and width above 0" });
    }
    return this.#track(
      frames.map((frame) => [frame]),
      [box],
      [height, width],
      which,
    )[0]!;
  }

  /** What was looked at in each frame: a trace of the glimpses, on all frames side by side. @throws ShapeError SHAPE */
  look(footage: Footage, box: FrameBox): Trace {
    const { frames, height, width } = footage;
    checkFootage(frames, height, width);
    const model = this.#model("model", [height, width]);
    const seen = capture(() => {
      const images = frames.map((frame) => frameTensor([frame], height, width));
      return model.track(images, tf.tensor2d([[...box]]));
    }, undefined);
    return sideBySide(footage, seen);
  }

  /** The boxes of several videos of one size and length, from the first true box of each. */
  followAll(
    videos: readonly { frames: readonly Float32Array[]; boxes: readonly FrameBox[] }[],
    which: Compared,
  ): FrameBox[][] {
    const found: FrameBox[][] = [];
    const side = Math.sqrt(videos[0]!.frames[0]!.length);
    for (let from = 0; from < videos.length; from += BATCH_SIZE) {
      const batch = videos.slice(from, from + BATCH_SIZE);
      const times = batch[0]!.frames.map((_, t) => batch.map(({ frames }) => frames[t]!));
      found.push(
        ...this.#track(
          times,
          batch.map(({ boxes }) => boxes[0]!),
          [side, side],
          which,
        ),
      );
    }
    return found;
  }

  dispose(): void {
    for (const model of this.#made.values()) model.dispose();
    this.#made.clear();
  }

  /** @param times at each time the frame of each video */
  #track(
    times: readonly (readonly Float32Array[])[],
    first: readonly FrameBox[],
    [height, width]: readonly [number, number],
    which: Compared,
  ): FrameBox[][] {
    const model = this.#model(which, [height, width]);
    const B = first.length;
    return tidyData(() => {
      const frames = times.map((batch) => frameTensor(batch, height, width));
      const rows = model.track(frames, tf.tensor2d(first.flat(), [B, 4])).map((box) => box.arraySync());
      return first.map((_, n) => rows.map((boxes) => boxes[n]! as unknown as FrameBox));
    });
  }

  #model(which: Compared, image: readonly [number, number]): HierarchicalAttentiveTracker {
    const key = [which, ...image].join();
    const found = this.#made.get(key);
    if (found) return found;
    const made = new HierarchicalAttentiveTracker(configOf(this.card, which, image), this.#values[which]);
    this.#made.set(key, made);
    return made;
  }
}

/** Frames of one time as images [B, height, width, 1]. */
export function frameTensor(frames: readonly Float32Array[], height: number, width: number): tf.Tensor4D {
  const values = new Float32Array(frames.length * height * width);
  for (const [n, frame] of frames.entries()) values.set(frame, n * height * width);
  return tf.tensor4d(values, [frames.length, height, width, 1]);
}

function checkFootage(frames: readonly Float32Array[], height: number, width: number): void {
  const other = frames.find(({ length }) => length !== height * width);
  if (frames.length > 0 && !other) return;
  const rule = `frames must be one or more of ${height} × ${width} pixels`;
  const got = other ? `one of ${other.length} pixels` : "none";
  throw new ShapeError("SHAPE", { op: OP, rule, got, remedy: "give the frames of one video" });
}
