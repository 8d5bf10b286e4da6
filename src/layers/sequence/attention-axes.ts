/** Attention along chosen axes of inputs of any rank: inputs and masks as those of sequences, and the way back. */
import * as tf from "@tensorflow/tfjs-core";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { boolMask, type Shape } from "../base/index.ts";

/** The axes that attention runs over, and the others before the last, counted from the front. */
export interface Axes {
  readonly over: readonly number[];
  /** The batch and whatever else is not attended along; each combination is an example of its own. */
  readonly beside: readonly number[];
}

const product = (sizes: readonly number[]) => sizes.reduce((all, n) => all * n, 1);
const at = (shape: readonly number[], axes: readonly number[]) => axes.map((axis) => shape[axis]!);
const show = (shape: readonly number[]) => `[${shape.join(", ")}]`;
const isSequence = ({ over, beside }: Axes) => over.length === 1 && beside.length === 1;

/**
 * The axes of an input of this rank.
 *
 * @throws ShapeError SHAPE for a rank below 3 · OptionError OPTION for axes that are not there, or twice
 */
export function axesOf(op: string, given: readonly number[] | undefined, rank: number): Axes {
  if (rank < 3) {
    throw new ShapeError("SHAPE", {
      op,
      rule: "query [B, …, C] must have rank 3 or more",
      got: `rank ${rank}`,
      remedy: "reshape it first",
    });
  }
  const inner = Array.from({ length: rank - 2 }, (_, n) => n + 1);
  const over = given?.map((axis) => (axis < 0 ? axis + rank : axis)) ?? inner;
  if (over.length === 0 || over.some((axis) => !inner.includes(axis)) || new Set(over).size < over.length) {
    throw new OptionError("OPTION", {
      op,
      rule: `attentionAxes must be different axes between the first and the last of an input of rank ${rank}`,
      got: given ?? "none",
      remedy: "choose one in that range or leave it out",
      name: "attentionAxes",
    });
  }
  return { over, beside: [0, ...inner.filter((axis) => !over.includes(axis))] };
}

/** Throws unless value and key have the query's sizes beside the axes. */
export function checkSizesBeside(op: string, { beside }: Axes, given: readonly tf.Tensor[]): void {
  const [query] = given as [tf.Tensor];
  const fits = (x: tf.Tensor) =>
    x.rank === query.rank && String(at(x.shape, beside)) === String(at(query.shape, beside));
  if (given.every(fits)) return;
  throw new ShapeError("SHAPE", {
    op,
    rule: "value and key must have the rank of query and its sizes beside attentionAxes",
    got: `shapes ${given.map(({ shape }) => show(shape)).join(", ")} of query, value and key`,
    remedy: `give them the same sizes along ${beside.join(", ")}`,
  });
}

/** Throws where attention runs over several axes, whose positions have no order to mask by. */
export function checkOrder(op: string, { over }: Axes): void {
  if (over.length === 1) return;
  throw new ShapeError("SHAPE", {
    op,
    rule: "attention must run over one axis where there is useCausalMask or slidingWindow, which order its positions",
    got: `axes ${over.join(", ")}`,
    remedy: "choose one with attentionAxes",
  });
}

/** x as sequences [B′, N, C], one for each combination of the axes beside. */
export function sequenceOf(x: tf.Tensor, axes: Axes): tf.Tensor3D {
  if (isSequence(axes)) return x as tf.Tensor3D;
  const { over, beside } = axes;
  const sizes = [product(at(x.shape, beside)), product(at(x.shape, over)), x.shape.at(-1)!] as const;
  return tf.reshape<tf.Rank.R3>(ordered(x, [...beside, ...over, x.rank - 1]), [...sizes]);
}

/** Sequences [B′, T, C] in the shape of the query, with `outputShape` as their last axes. */
export function restored(
  x: tf.Tensor3D,
  query: readonly number[],
  axes: Axes,
  outputShape: readonly number[] = [x.shape[2]],
): tf.Tensor {
  if (isSequence(axes) && outputShape.length === 1) return x;
  const order = [...axes.beside, ...axes.over];
  const shaped = tf.reshape(x, [...at(query, order), ...outputShape]);
  const back = order.map((_, axis) => order.indexOf(axis));
  return ordered(shaped, [...back, ...outputShape.map((_, n) => order.length + n)]);
}

/** The shape of the weights: the axes beside, the heads, the axes of queries and those of keys. */
export function scoresShape(H: number, { over, beside }: Axes, query: Shape, key: Shape): Shape {
  const sizes = (shape: Shape, axes: readonly number[]) => axes.map((axis) => shape[axis] ?? null);
  return [...sizes(query, beside), H, ...sizes(query, over), ...sizes(key, over)];
}

/**
 * A mask of positions, which has the axes of its input but the last or the first of them, as bool [B′, N].
 *
 * @throws ShapeError SHAPE
 */
export function positionMask(
  op: string,
  title: string,
  mask: tf.Tensor | undefined,
  shape: readonly number[],
  axes: Axes,
): tf.Tensor | undefined {
  if (isSequence(axes)) return boolMask(op, `the mask of ${title}`, mask, shape.slice(0, 2));
  if (!mask) return undefined;
  const positions = shape.slice(0, -1);
  const more = Array<number>(Math.max(0, positions.length - mask.rank)).fill(1);
  const letters = title.replace(/\[B, ., /, "[B, …, ");
  const bool = boolMask(op, `the mask of ${letters}`, tf.reshape(mask, [...mask.shape, ...more]), positions)!;
  const { over, beside } = axes;
  const sizes = [product(at(positions, beside)), product(at(positions, over))];
  return tf.reshape(ordered(whole(bool, positions), [...beside, ...over]), sizes);
}

/**
 * A mask of pairs as bool [1 or B′, 1 or H, T, S]. It has the axes of the weights, of which Keras lets those before the
 * queries' be left out from the last: [B, T, S] is the same for all heads and for all that lies beside. Any may be 1.
 *
 * @throws ShapeError SHAPE
 */
export function pairMask(
  op: string,
  mask: tf.Tensor,
  { H, axes, query, key }: { H: number; axes: Axes; query: tf.Tensor; key: tf.Tensor },
): tf.Tensor4D {
  const { over, beside } = axes;
  const weights = scoresShape(H, axes, query.shape, key.shape) as number[];
  const pairs = 2 * over.length;
  const given = mask.rank - pairs;
  const leading = given >= 0 && given <= beside.length + 1 ? given : 1;
  const expected = [...weights.slice(0, leading), ...weights.slice(-pairs)];
  const letters = isSequence(axes) ? "[B, T, S]" : "[B, …T, …S]";
  const bool = boolMask(op, `attentionMask ${letters}`, mask, expected)!;
  const ones = Array<number>(weights.length - mask.rank).fill(1);
  const shape = [...bool.shape.slice(0, leading), ...ones, ...bool.shape.slice(leading)];
  // Axes that are joined below must be whole, where they say anything.
  const isShared = shape.slice(0, beside.length).every((n) => n === 1);
  const sizes = shape.map((n, axis) => {
    const isJoined = axis < beside.length ? beside.length > 1 && !isShared : over.length > 1;
    return isJoined && axis !== beside.length ? weights[axis]! : n;
  });
  const [examples, heads, rest] = [sizes.slice(0, beside.length), sizes[beside.length]!, sizes.slice(-pairs)];
  const [T, S] = [product(rest.slice(0, over.length)), product(rest.slice(over.length))];
  return tf.reshape(whole(tf.reshape(bool, shape), sizes), [product(examples), heads, T, S]);
}

/** x with its axes in this order. */
function ordered(x: tf.Tensor, order: readonly number[]): tf.Tensor {
  return order.every((axis, n) => axis === n) ? x : tf.transpose(x, [...order]);
}

/** A bool mask in all its sizes, where some axes may be 1. */
function whole(mask: tf.Tensor, sizes: readonly number[]): tf.Tensor {
  if (String(mask.shape) === String(sizes)) return mask;
  return tf.logicalAnd(mask, tf.ones([...sizes], "bool"));
}
