import type * as tf from "@tensorflow/tfjs-core";
import { tensor } from "@tensorflow/tfjs-core";
import { RandomStream } from "../../src/core/random.ts";
import { ROUNDING } from "../attention/support.ts";

export function unitDirection(size: number, stream: number): Float32Array {
  const direction = new RandomStream(23, stream).fillNormal(new Float32Array(size));
  const norm = Math.hypot(...direction);
  return direction.map((x) => x / norm);
}

export interface Slope {
  value: number;
  /** How far `value` can be from the true slope. */
  tolerance: number;
}

type Losses = (steps: readonly number[]) => number[];

/** The losses at so many steps of length h along a direction of one parameter, which is left as it was. */
function along(variable: tf.Variable, direction: Float32Array, h: number, lossOf: () => number): Losses {
  const start = variable.dataSync().slice();
  const assign = (values: ArrayLike<number>) => {
    const moved = tensor(Float32Array.from(values), variable.shape);
    variable.assign(moved);
    moved.dispose();
  };
  return (steps) => {
    const losses = steps.map((n) => {
      assign(start.map((x, i) => x + n * h * direction[i]!));
      return lossOf();
    });
    assign(start);
    return losses;
  };
}

/**
 * The change of a loss along a direction of one parameter, by the five-point difference, whose weights sum to 1.5/h.
 *
 * @param direction of length 1
 * @param roundings on the way to the loss
 */
export function slopeOf(
  variable: tf.Variable,
  direction: Float32Array,
  lossOf: () => number,
  roundings: number,
): Slope {
  const h = 2 ** -6;
  const losses = along(variable, direction, h, lossOf)([-4, -2, -1, 1, 2, 4]);
  const [m4, m2, m1, p1, p2, p4] = losses as [number, number, number, number, number, number];
  const value = (8 * (p1 - m1) - (p2 - m2)) / (12 * h);
  const coarser = (8 * (p2 - m2) - (p4 - m4)) / (24 * h);
  const rounding = (1.5 * roundings * ROUNDING * Math.max(...losses)) / h;
  // The error of order h⁴ is a sixteenth of that at twice the step.
  return { value, tolerance: rounding + Math.abs(coarser - value) / 15 };
}

/**
 * The same of a loss with kinks, such as those of a ReLU: the middle of the secants around, among which its slope lies. The
 * step is small, so that few kinks lie within it.
 */
export function slopeWithKinks(
  variable: tf.Variable,
  direction: Float32Array,
  lossOf: () => number,
  roundings: number,
): Slope {
  const h = 2 ** -10;
  const losses = along(variable, direction, h, lossOf)([-2, -1, 0, 1, 2]);
  const secants = losses.slice(1).map((loss, n) => (loss - losses[n]!) / h);
  const [least, most] = [Math.min(...secants), Math.max(...secants)];
  const rounding = (2 * roundings * ROUNDING * Math.max(...losses)) / h;
  return { value: (least + most) / 2, tolerance: rounding + (most - least) / 2 };
}
