import * as tf from "@tensorflow/tfjs-core";
import type { ImageSize } from "../../attention/glimpse/glimpse.ts";
import { resizeGlimpse } from "../../attention/glimpse/resize.ts";
import { tidy } from "../../ops/tidy.ts";
import { convolution, convolutionSpecs, dense, denseSpecs } from "../maps.ts";
import { type ParameterSpecs, Parameters } from "../parameters.ts";
import { around, centre, checkBoxes, checkFrames, moved, shifted } from "./boxes.ts";
import { count, fullConfig, oneOf, positive, size } from "./config.ts";
import { checkImages } from "./images.ts";
import { emptyState, flat, type LstmState, lstm, lstmSpecs } from "./memory.ts";

const MOTIONS = ["stay", "coast"] as const;

export interface TrackerConfig {
  /** [H, W] of the frames. */
  image: ImageSize;
  /** C of the frames. @default 1 */
  channels?: number;
  /** [h, w] of the glimpse. */
  glimpse: ImageSize;
  /** Sides of the window that is looked at, in sides of the box. @default 2 */
  context?: number;
  /**
   * Where an object is expected before it is looked for: where it was, or where it would be at its speed. "coast" is a prior
   * N(2μ_{t−1} − μ_{t−2}, ·) of the glimpse's place: what is hidden for some frames is looked for where it will come out.
   * @default "stay"
   */
  motion?: (typeof MOTIONS)[number];
  /**
   * Frames over which "coast" averages the speed, n ≥ 1: of few the last one counts most, and its error with it, as many times
   * as there are hidden frames. @default 1
   */
  speedFrames?: number;
  /** Features of each pixel of a glimpse. */
  features: number;
  /** Numbers that a glimpse is summed up in. */
  appearance: number;
  /** Units of the memory. */
  units: number;
}

const DEFAULTS = { channels: 1, context: 2, motion: "stay", speedFrames: 1 } as const;
const RULES = {
  image: size,
  channels: count,
  glimpse: size,
  context: positive,
  motion: oneOf(...MOTIONS),
  speedFrames: count,
  features: count,
  appearance: count,
  units: count,
};

/** What the tracker knows between two frames. */
export interface TrackerState {
  /** Where the object is: [B, 4], top, left, height and width, in pixels. */
  readonly box: tf.Tensor2D;
  /** How far its centre moves in a frame, [B, 2], rows and columns. */
  readonly speed: tf.Tensor2D;
  /** How many frames there were after the first. */
  readonly moves: number;
  /** What to follow: the summary of the first glimpse, [B, A]. */
  readonly wanted: tf.Tensor2D;
  readonly memory: LstmState;
}

export interface TrackerStep extends TrackerState {
  /** s: which pixels of the glimpse were passed on, 0 to 1, [B, h, w, 1]. */
  readonly mask: tf.Tensor4D;
}

const OP = "HierarchicalAttentiveTracker";

/** The parameters of a tracker, by name; the size of its frames does not matter. @throws OptionError OPTION, UNKNOWN */
export function trackerParameters(config: TrackerConfig): ParameterSpecs {
  const full = fullConfig<Required<TrackerConfig>>(OP, config, DEFAULTS, RULES);
  const { channels: C, glimpse, features: F, appearance: A, units } = full;
  const pixels = glimpse[0] * glimpse[1];
  return {
    ...convolutionSpecs("features", C, F),
    ...denseSpecs("mask", units, F + 1),
    ...denseSpecs("appearance", pixels * F, A),
    ...lstmSpecs("memory", 2 * A, units),
    // Small weights to the move: a box begins with staying where it is.
    ...denseSpecs("move", units + pixels, 4, "small"),
  };
}

/**
 * Hierarchical attentive recurrent tracking (HART), reduced: one glimpse a frame where the object was last, within it a mask
 * over features that the memory chooses, and a box that is moved on.
 *
 *     e_t = b_{t−1}, or with motion "coast" b_{t−1} + ν_{t−1},
 *     ν_t = ν_{t−1} + (centre of b_t − centre of b_{t−1} − ν_{t−1}) / min(t, n),    ν_0 = 0
 *     g_t = glimpse(frame_t, context × e_t)    F_t = relu(conv(g_t))
 *     s_t[i, j] = σ(F_t[i, j] · α_t + β_t),    (α_t, β_t) = W_m o_{t−1} + c_m
 *     v_t = relu(W_v vec(s_t ⊙ F_t) + c_v),    o_t = LSTM([v_t, v_1], o_{t−1}),    Δ_t = W_b [o_t, vec(s_t)] + c_b
 *     b_t: e_t with centre += Δ_t[0, 1] · its sides,    sides *= exp(tanh(Δ_t[2, 3])/10)
 *
 * Symbols: e where the object is expected, ν its speed and n `speedFrames`, g the Gaussian glimpse of a window around it, F its features, s the mask, α and β the filter that the memory
 * makes (a dynamic filter of 1 × 1 pixels), v what is summed up, v_1 that of the first frame, o the memory, Δ the move.
 * Shapes: frames T of [B, H, W, C], first box [B, 4] → boxes T of [B, 4]: top, left, height, width in pixels, of which the
 * first is the given one.
 * Conventions: row `top` is the object's first, `height` how many it has. Reduced from the paper: one convolution instead of
 * AlexNet's, a filter of 1 × 1, the first glimpse remembered as it is, the loss below instead of four. In a capture a step
 * has the one glimpse that it took. Methods that return tensors leave them to the caller's `tf.tidy`.
 * Cost: O(B·h·H·W) a frame for the glimpse; what it sees costs the same whatever the frame's size.
 * Papers: Kosiorek, Bewley, Posner 2017, arxiv.org/abs/1706.09262; De Brabandere et al. 2016, arxiv.org/abs/1605.09673.
 *
 * @throws OptionError OPTION, UNKNOWN · ShapeError RANK, SHAPE, UNKNOWN
 * @example
 * const size = { features: 3, appearance: 8, units: 8 };
 * const model = new HierarchicalAttentiveTracker({ image: [20, 24], glimpse: [7, 7], ...size }, 1);
 * const frames = Array.from({ length: 3 }, () => tf.ones([2, 20, 24, 1]));
 * const boxes = model.track(frames, tf.tensor2d([[2, 3, 5, 5], [8, 9, 5, 6]]));
 * boxes.map(({ shape }) => shape.join()); // ["2,4", "2,4", "2,4"]
 * model.dispose();
 */
export class HierarchicalAttentiveTracker {
  readonly config: Required<TrackerConfig>;
  readonly parameters: Parameters;

  /** A model with given parameters, by name; without them random ones: one seed, one model, on every machine. */
  constructor(config: TrackerConfig, start: number | Readonly<Record<string, Float32Array>> = 0) {
    this.config = fullConfig<Required<TrackerConfig>>(OP, config, DEFAULTS, RULES);
    this.parameters = Parameters.start(OP, trackerParameters(this.config), start);
  }

  /** Begins on the first frame, with the box of what is to be followed. */
  start(frame: tf.Tensor4D, box: tf.Tensor2D): TrackerState {
    const op = "HierarchicalAttentiveTracker.start";
    checkBoxes(op, "box", box, checkImages(op, "frame", frame, this.config));
    return tidy(() => {
      const memory = emptyState(box.shape[0], this.config.units);
      const { appearance } = this.#look(frame, box, memory);
      const speed = tf.zeros<tf.Rank.R2>([box.shape[0], 2]);
      return { box: tf.clone(box), speed, moves: 0, wanted: appearance, memory };
    });
  }

  /** Follows into the next frame. */
  step(frame: tf.Tensor4D, { box, speed, moves, wanted, memory }: TrackerState): TrackerStep {
    checkImages("HierarchicalAttentiveTracker.step", "frame", frame, this.config, box.shape[0]);
    return tidy(() => {
      const expected = this.config.motion === "coast" ? shifted(box, speed) : box;
      const { appearance, mask } = this.#look(frame, expected, memory);
      const next = lstm(this.parameters, "memory", tf.concat2d([appearance, wanted], 1), memory);
      const move = dense(this.parameters, "move", tf.concat2d([next.h, flat(mask)], 1));
      const found = moved(expected, move);
      const gone: tf.Tensor2D = tf.sub(centre(found), centre(box));
      const frames = Math.min(moves + 1, this.config.speedFrames);
      const mean: tf.Tensor2D = frames === 1 ? gone : tf.add(speed, tf.div(tf.sub(gone, speed), frames));
      return { box: found, speed: mean, moves: moves + 1, wanted: tf.clone(wanted), memory: next, mask };
    });
  }

  /** The object's box in each of some frames; the first one is given. */
  track(frames: readonly tf.Tensor4D[], first: tf.Tensor2D): tf.Tensor2D[] {
    checkFrames("HierarchicalAttentiveTracker.track", frames);
    return tidy(() => {
      let state = this.start(frames[0]!, first);
      const boxes = [state.box];
      for (const frame of frames.slice(1)) {
        state = this.step(frame, state);
        boxes.push(state.box);
      }
      return boxes;
    });
  }

  dispose(): void {
    this.parameters.dispose();
  }

  #look(frame: tf.Tensor4D, box: tf.Tensor2D, { h }: LstmState) {
    const { glimpse, context, features } = this.config;
    const { output } = resizeGlimpse(frame, around(box, context), glimpse, { sampler: "gaussian" });
    const seen = tf.relu(convolution(this.parameters, "features", output));
    const [filter, bias] = tf.split(dense(this.parameters, "mask", h), [features, 1], 1);
    const logits = tf.sum(tf.mul(seen, tf.reshape(filter!, [-1, 1, 1, features])), 3, true);
    const mask = tf.sigmoid(tf.add(logits, tf.reshape(bias!, [-1, 1, 1, 1]))) as tf.Tensor4D;
    const kept = flat(tf.mul(seen, mask));
    return { mask, appearance: tf.relu(dense(this.parameters, "appearance", kept)) };
  }
}
