/** Normalisation over any axes of an input, by operations that know the last one. */
import * as tf from "@tensorflow/tfjs-core";
import { OptionError } from "../../core/errors.ts";

/**
 * The normalised axes, counted from the front, in the order given.
 *
 * @throws OptionError OPTION
 */
export function axesOf(op: string, given: readonly number[], rank: number): number[] {
  const axes = given.map((axis) => (axis < 0 ? axis + rank : axis));
  if (axes.some((axis) => axis < 0 || axis >= rank) || new Set(axes).size < axes.length) {
    throw new OptionError("OPTION", {
      op,
      rule: `axis must be different axes of the input, from ${-rank} to ${rank - 1}`,
      got: given,
      remedy: "choose one in that range or leave it out",
      name: "axis",
    });
  }
  return axes;
}

type Normalize = (rows: tf.Tensor, ...weights: (tf.Tensor1D | undefined)[]) => tf.Tensor;

/** `normalize` of x with its axes brought to the end as one, and of its weights laid out like them. */
export function overAxes(
  x: tf.Tensor,
  given: readonly number[],
  weights: readonly (tf.Tensor | undefined)[],
  normalize: Normalize,
): tf.Tensor {
  // Keras lays the numbers of weights along the axes in ascending order, however `axis` lists them.
  const axes = given.toSorted((a, b) => a - b);
  const others = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const order = [...others, ...axes];
  const isLast = order.every((axis, at) => axis === at);
  const C = axes.reduce((product, axis) => product * x.shape[axis]!, 1);
  const ordered = isLast ? x : tf.transpose(x, order);
  const rows =
    axes.length === 1 ? ordered : tf.reshape(ordered, [...others.map((axis) => x.shape[axis]!), C]);
  const flat = weights.map(
    (weight) => weight && (weight.rank === 1 ? (weight as tf.Tensor1D) : tf.reshape<tf.Rank.R1>(weight, [C])),
  );
  const shaped = tf.reshape(normalize(rows, ...flat), ordered.shape);
  if (isLast) return shaped;
  return tf.transpose(
    shaped,
    order.map((_, axis) => order.indexOf(axis)),
  );
}
