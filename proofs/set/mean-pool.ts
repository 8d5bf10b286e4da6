import * as tf from "@tensorflow/tfjs-core";
import type { RandomStream } from "../../src/core/random.ts";
import { linear } from "../../src/ops/linear.ts";
import { constant, weight } from "../variables.ts";

/**
 * The baseline of sets: every element by itself through two maps, their mean, two maps more (Deep Sets, Zaheer et al. 2017,
 * arxiv.org/abs/1703.06114).
 */
export function meanPool(
  random: RandomStream,
  { from, width: C, to }: { from: number; width: number; to: number },
) {
  const sizes = [from, C, C, C, to];
  const maps = sizes.slice(1).map((size, n) => ({
    w: weight<tf.Tensor2D>(random, [sizes[n]!, size], Math.sqrt(2 / sizes[n]!)),
    b: constant<tf.Tensor1D>([size]),
  }));
  const variables = Object.fromEntries(
    maps.flatMap(({ w, b }, n) => [
      [`${n}/w`, w as tf.Variable],
      [`${n}/b`, b as tf.Variable],
    ]),
  );
  /** x [B, S, from], how much of the mean each element is [B, S, 1] → [B, to]. */
  const forward = (x: tf.Tensor3D, shares: tf.Tensor3D): tf.Tensor2D => {
    const inner = tf.relu(linear(x, maps[0]!.w, maps[0]!.b));
    const seen = tf.relu(linear(inner, maps[1]!.w, maps[1]!.b));
    const mean = tf.sum(tf.mul(seen, shares), 1) as tf.Tensor2D;
    return linear(tf.relu(linear(mean, maps[2]!.w, maps[2]!.b)), maps[3]!.w, maps[3]!.b);
  };
  return { variables, forward };
}
