import * as tf from "@tensorflow/tfjs-core";
import { checkNotNegative } from "../../core/check-options.ts";
import { ShapeError } from "../../core/errors.ts";
import { checkRank, checkTensors } from "../../ops/check.ts";
import { tidy } from "../../ops/tidy.ts";

export interface MotionPenaltyOptions {
  /** λ ≥ 0. @default 1 */
  weight?: number;
}

/**
 * A prior on how glimpses move: what is followed keeps its speed, and does not vanish.
 *
 *     L = λ/(B·(T − 2)) Σ_b Σ_t ‖μ_t − 2μ_{t−1} + μ_{t−2}‖²
 *
 * Symbols: μ what says where a glimpse or a box is, such as its centre, T times, λ the weight. Shapes: T of [B, D] → [].
 * Conventions: 0 for what moves in straight lines at a steady speed, at rest too; T is 3 or more. It needs no labels: give
 * it videos in which nobody has marked the object, hidden ones among them. It is −ln p of the transition
 * μ_t ~ N(2μ_{t−1} − μ_{t−2}, σ²) without its constant, with λ = 1/(2σ²).
 * Cost: O(B·T·D). Sources: Kosiorek 2017, "Attention in Neural Networks and How to Use It" (objects are coherent and do not
 * vanish); as a learned prior, SQAIR, Kosiorek et al. 2018, arxiv.org/abs/1806.01794.
 *
 * @throws ShapeError RANK, SHAPE · OptionError OPTION
 * @example
 * const track = [0, 1, 2, 5].map((y) => tf.tensor2d([[y, 0]]));
 * motionPenalty(track).dataSync()[0]; // 2
 */
export function motionPenalty(
  track: readonly tf.Tensor2D[],
  { weight = 1 }: MotionPenaltyOptions = {},
): tf.Scalar {
  const op = "motionPenalty";
  checkNotNegative(op, "weight", weight);
  if (track.length < 3) {
    const fault = { op, rule: "track must have T ≥ 3 times", got: `T = ${track.length}` };
    throw new ShapeError("SHAPE", { ...fault, remedy: "a change of speed takes three" });
  }
  checkRank(op, "track[0] [B, D]", track[0]!, 2);
  const { shape } = track[0]!;
  checkTensors(
    op,
    track.map((tensor, t) => ({ name: `track[${t}]`, tensor, letters: "[B, D]", shape })),
  );
  return tidy(() => {
    const changes = track.slice(2).map((place, t) => {
      const straight = tf.sub(tf.mul(track[t + 1]!, 2), track[t]!);
      return tf.mean(tf.sum(tf.square(tf.sub(place, straight)), 1));
    });
    return tf.mul(tf.addN(changes), weight / changes.length) as tf.Scalar;
  });
}
