import * as tf from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import { show } from "../../core/notation.ts";
import type { Normalize } from "../../ops/attention/composed.ts";

/**
 * A normaliser of the caller's own, kept to what holds of every normaliser: weights of the scores' shape, and zeros with
 * gradient 0 in a row that sees nothing. Such a row is all −∞, of which `tf.softmax` makes NaN: the function is given
 * zeros in its place, and what it makes of them is dropped.
 *
 * @throws ShapeError SHAPE unless the function returns a tensor of its argument's shape
 */
export function ownNormalizer(op: string, normalize: Normalize): Normalize {
  return (scores) => {
    const isEmpty = tf.equal(tf.max(scores, -1, true), Number.NEGATIVE_INFINITY);
    const weights: unknown = normalize(tf.where(isEmpty, 0, scores));
    checkWeights(op, weights, scores.shape);
    return tf.where(isEmpty, 0, weights);
  };
}

function checkWeights(op: string, weights: unknown, shape: number[]): asserts weights is tf.Tensor {
  const isTensor = weights instanceof tf.Tensor;
  if (isTensor && weights.shape.join() === shape.join()) return;
  throw new ShapeError("SHAPE", {
    op,
    rule: `normalize must return weights of the scores' shape ${show(shape)}`,
    got: isTensor
      ? `shape ${show(weights.shape)}`
      : weights === undefined
        ? "undefined"
        : `a ${typeof weights}`,
    remedy: isTensor
      ? "normalise along the last axis, and keep it"
      : "return a tensor: an arrow with braces needs the word return",
  });
}
