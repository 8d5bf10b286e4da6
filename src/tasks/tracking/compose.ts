import type { RandomStream } from "../../core/random.ts";
import { type DigitPool, OBJECT } from "./digits.ts";

/** A box of a frame in pixels: its first row and column, and how many it has. */
export type FrameBox = readonly [top: number, left: number, height: number, width: number];

export interface VideoOptions {
  /** Frames. */
  times: number;
  /** Other digits that move among them, none of the same kind. */
  distractors: number;
  /** Frames in which the digit that is followed is not to be seen, the first and the one after the last. @default none */
  hidden?: readonly [from: number, to: number];
}

/** A video, and where what is to be followed was. */
export interface Video {
  /** [SIDE, SIDE] of 0 … 1 at each time. */
  frames: Float32Array[];
  boxes: FrameBox[];
  /** Which digit is followed. */
  digit: number;
}

/** Side of a frame in pixels. */
export const SIDE = 68;
/** Pixels a frame, in any direction: so fast that after three frames a box that stayed does not see its digit any more. */
const [SLOWEST, FASTEST] = [4.6, 5.6];

/** First rows and columns of what moves on a straight line at a steady speed and meets no edge. */
function path(random: RandomStream, times: number): (readonly [top: number, left: number])[] {
  const speed = SLOWEST + (FASTEST - SLOWEST) * random.uniform();
  const angle = 2 * Math.PI * random.uniform();
  const [down, right] = [speed * Math.sin(angle), speed * Math.cos(angle)];
  const begin = (pace: number) => {
    const way = pace * (times - 1);
    return Math.max(0, -way) + (SIDE - OBJECT - Math.abs(way)) * random.uniform();
  };
  const [top, left] = [begin(down), begin(right)];
  return Array.from({ length: times }, (_, t) => [top + down * t, left + right * t] as const);
}

/**
 * Digits that move through one another in front of black, each at a speed of its own: one to be followed, the others to
 * distract. Where digits meet, the brighter pixel is seen. The same stream makes the same video.
 */
export function composeVideo(pool: DigitPool, random: RandomStream, options: VideoOptions): Video {
  const { times, distractors, hidden: [from, to] = [0, 0] } = options;
  const kinds = pool.ofDigit.flatMap((pictures, digit) => (pictures.length > 0 ? [digit] : []));
  const digits = random.shuffle(kinds).slice(0, 1 + distractors);
  const frames = Array.from({ length: times }, () => new Float32Array(SIDE * SIDE));
  let boxes: FrameBox[] = [];
  for (const [n, digit] of digits.entries()) {
    const choice = pool.ofDigit[digit]!;
    const picture = pool.pictures[choice[random.integer(choice.length)]!]!;
    const places = path(random, times);
    if (n === 0) boxes = places.map(([top, left]) => [top, left, OBJECT, OBJECT]);
    for (const [t, frame] of frames.entries())
      if (n > 0 || t < from || t >= to) paste(frame, picture, places[t]!);
  }
  return { frames, boxes, digit: digits[0]! };
}

/** Lays a picture between pixels, each of which takes its share of the four that it covers. */
function paste(frame: Float32Array, picture: Float32Array, [top, left]: readonly [number, number]): void {
  const [row, column] = [Math.floor(top), Math.floor(left)];
  const [down, right] = [top - row, left - column];
  const ink = (y: number, x: number) =>
    y >= 0 && y < OBJECT && x >= 0 && x < OBJECT ? picture[y * OBJECT + x]! : 0;
  for (let y = 0; y <= OBJECT; y++)
    for (let x = 0; x <= OBJECT; x++) {
      if (row + y >= SIDE || column + x >= SIDE) continue;
      const above = ink(y - 1, x - 1) * right + ink(y - 1, x) * (1 - right);
      const here = ink(y, x - 1) * right + ink(y, x) * (1 - right);
      const at = (row + y) * SIDE + column + x;
      frame[at] = Math.max(frame[at]!, above * down + here * (1 - down));
    }
}
