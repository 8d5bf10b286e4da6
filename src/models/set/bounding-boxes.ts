import * as tf from "@tensorflow/tfjs-core";
import { checkTensors } from "../../ops/check.ts";
import { tidy } from "../../ops/tidy.ts";

/** Centre, width and height as shares of the image, x before y: [x, y, width, height]. */
export type BoundingBox = readonly [x: number, y: number, width: number, height: number];

/** How two boxes lie to each other. */
export interface BoxOverlap {
  /** Intersection over union, 0 to 1. */
  readonly iou: number;
  /** Generalised intersection over union, above −1 to 1. */
  readonly generalizedIou: number;
}

/**
 * How much two boxes have in common.
 *
 *     iou = |a ∩ b| / |a ∪ b|,    generalizedIou = iou − |hull ∖ (a ∪ b)| / |hull|
 *
 * Symbols: |·| an area, hull the smallest box around both.
 * Conventions: of two boxes without an area the iou is 0, and where their hull has none it is the generalised one as well.
 * Paper: Rezatofighi et al. 2019, Algorithm 1, arxiv.org/abs/1902.09630.
 *
 * @example
 * boxOverlap([0.25, 0.5, 0.5, 1], [0.75, 0.5, 0.5, 1]); // { iou: 0, generalizedIou: 0 }
 * boxOverlap([0.5, 0.5, 1, 1], [0.5, 0.5, 0.5, 1]).iou; // 0.5
 */
export function boxOverlap(a: ArrayLike<number>, b: ArrayLike<number>): BoxOverlap {
  const [x, y] = [along(a, b, 0), along(a, b, 1)];
  const inner = Math.max(0, x.inner) * Math.max(0, y.inner);
  const union = a[2]! * a[3]! + b[2]! * b[3]! - inner;
  const hull = x.outer * y.outer;
  const iou = union > 0 ? inner / union : 0;
  return { iou, generalizedIou: hull > 0 ? iou - (hull - union) / hull : iou };
}

/** What two boxes share along an axis, below 0 where they are apart, and how far both reach together. */
function along(a: ArrayLike<number>, b: ArrayLike<number>, axis: 0 | 1): { inner: number; outer: number } {
  const [from, to] = [a, b].map((box) => [
    box[axis]! - box[axis + 2]! / 2,
    box[axis]! + box[axis + 2]! / 2,
  ]) as [[number, number], [number, number]];
  const starts: [number, number] = [from[0], to[0]];
  const ends: [number, number] = [from[1], to[1]];
  return {
    inner: Math.min(...ends) - Math.max(...starts),
    outer: Math.max(...ends) - Math.min(...starts),
  };
}

/** Below this an area is none: what is divided by it would have no gradient that means anything. */
const LEAST_AREA = 1e-9;

/**
 * Generalised intersection over union of boxes, pair by pair, with gradients.
 *
 * Formula and conventions: those of `boxOverlap`. Shapes: a and b [N, 4], float32 → [N].
 * Paper: Rezatofighi et al. 2019, arxiv.org/abs/1902.09630.
 *
 * @throws ShapeError SHAPE
 * @example
 * generalizedIou(tf.tensor2d([[0.5, 0.5, 1, 1]]), tf.tensor2d([[0.5, 0.5, 0.5, 1]])); // [0.5]
 */
export function generalizedIou(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor1D {
  const shape = [a.shape[0], 4];
  checkTensors("generalizedIou", [
    { name: "a", tensor: a, letters: "[N, 4]", shape },
    { name: "b", tensor: b, letters: "[N, 4]", shape },
  ]);
  return tidy(() => {
    const [aFrom, aTo, bFrom, bTo] = [a, b].flatMap((boxes) => {
      const [centre, extent] = tf.split(boxes, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
      const half = tf.div(extent, 2);
      return [tf.sub(centre, half), tf.add(centre, half)];
    }) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
    const area = (extent: tf.Tensor) => {
      const [width, height] = tf.split(extent, 2, 1) as [tf.Tensor, tf.Tensor];
      return tf.squeeze<tf.Tensor1D>(tf.mul(width, height), [1]);
    };
    const inner = area(tf.relu(tf.sub(tf.minimum(aTo, bTo), tf.maximum(aFrom, bFrom))));
    const union = tf.sub(tf.add(area(tf.sub(aTo, aFrom)), area(tf.sub(bTo, bFrom))), inner);
    const hull = area(tf.sub(tf.maximum(aTo, bTo), tf.minimum(aFrom, bFrom)));
    const share = (part: tf.Tensor, whole: tf.Tensor) => tf.div(part, tf.maximum(whole, LEAST_AREA));
    return tf.sub(share(inner, union), share(tf.sub(hull, union), hull));
  });
}
