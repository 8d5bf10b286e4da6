/** Boxes of objects in frames: [B, 4], top, left, height and width in pixels, `top` the first row and `height` how many. */
import * as tf from "@tensorflow/tfjs-core";
import type { GlimpseWindow } from "../../attention/glimpse/resize.ts";
import { ShapeError } from "../../core/errors.ts";
import { checkTensors } from "../../ops/check.ts";
import { tidy } from "../../ops/tidy.ts";

/** A side grows or shrinks by a tenth a frame, about, at most: a box that vanished would see nothing any more. */
const ZOOM = 0.1;

/** A window with the box's centre and `context` times its sides. */
export function around(box: tf.Tensor2D, context: number): GlimpseWindow {
  const [top, left, height, width] = tf.unstack(box, 1) as tf.Tensor1D[];
  const from = (start: tf.Tensor1D, side: tf.Tensor1D): tf.Tensor1D =>
    tf.sub(start, tf.mul(side, (context - 1) / 2));
  return {
    top: from(top!, height!),
    left: from(left!, width!),
    height: tf.mul(height!, context),
    width: tf.mul(width!, context),
  };
}

/** b with its centre moved by shares of its sides, and its sides scaled, at most by `ZOOM`: [B, 4], [B, 4] → [B, 4] */
export function moved(box: tf.Tensor2D, move: tf.Tensor2D): tf.Tensor2D {
  const [, sides] = tf.split(box, 2, 1) as tf.Tensor2D[];
  const [shift, zoom] = tf.split(move, 2, 1) as tf.Tensor2D[];
  const next = tf.mul(sides!, tf.exp(tf.mul(tf.tanh(zoom!), ZOOM)));
  const middle = tf.add(centre(box), tf.mul(shift!, sides!));
  return tf.concat2d([tf.sub(middle, tf.mul(next, 0.5)), next as tf.Tensor2D], 1);
}

/** The centre of boxes: [B, 4] → [B, 2] */
export function centre(box: tf.Tensor2D): tf.Tensor2D {
  const [corner, sides] = tf.split(box, 2, 1) as tf.Tensor2D[];
  return tf.add(corner!, tf.mul(sides!, 0.5));
}

/** Boxes moved by [B, 2] pixels. */
export function shifted(box: tf.Tensor2D, by: tf.Tensor2D): tf.Tensor2D {
  return tf.add(
    box,
    tf.pad2d(by, [
      [0, 0],
      [0, 2],
    ]),
  );
}

/** Edges of boxes: top and left, bottom and right, two of [B, 2]. */
function edges(box: tf.Tensor2D): [tf.Tensor2D, tf.Tensor2D] {
  const [corner, sides] = tf.split(box, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
  return [corner, tf.add(corner, sides)];
}

/**
 * How far boxes are from the true ones: the mean over edges of their distance, in sides of the true box.
 *
 *     loss = mean_{t, edges} |e(b_t) − e(b*_t)| / side(b*_t)
 *
 * Symbols: b boxes, b* the true ones, e a box's top, bottom, left and right. Shapes: T of [B, 4] each → [].
 * Conventions: unlike 1 − IoU it has a gradient where the boxes do not meet. Give boxes from the second frame on, as the first
 * one is given. Cost: O(T·B).
 *
 * @throws ShapeError SHAPE
 * @example
 * const box = tf.tensor2d([[2, 3, 4, 4]]);
 * boxLoss([tf.add(box, tf.tensor2d([[2, 0, 0, 0]]))], [box]).dataSync()[0]; // 0.25
 */
export function boxLoss(boxes: readonly tf.Tensor2D[], truth: readonly tf.Tensor2D[]): tf.Scalar {
  const op = "boxLoss";
  checkPairs(op, boxes, truth);
  return tidy(() => {
    const errors = boxes.map((box, t) => {
      const [, sides] = tf.split(truth[t]!, 2, 1);
      const wanted = edges(truth[t]!);
      const off = edges(box).map((edge, n) => tf.mean(tf.div(tf.abs(tf.sub(edge, wanted[n]!)), sides!)));
      return tf.mul(tf.addN(off), 0.5);
    });
    return tf.div(tf.addN(errors), errors.length) as tf.Scalar;
  });
}

/**
 * Intersection over union of boxes with others, [B, 4] each → [B]. 0 where they do not meet.
 *
 * @throws ShapeError SHAPE
 * @example
 * intersectionOverUnion(tf.tensor2d([[0, 0, 2, 2]]), tf.tensor2d([[1, 0, 2, 2]])); // [0.333]
 */
export function intersectionOverUnion(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor1D {
  checkPairs("intersectionOverUnion", [a], [b]);
  return tidy(() => {
    const [[from, to], [start, end]] = [edges(a), edges(b)];
    const common = tf.prod(tf.relu(tf.sub(tf.minimum(to, end), tf.maximum(from, start))), 1);
    const area = (box: tf.Tensor2D) => tf.prod(tf.slice2d(box, [0, 2], [-1, 2]), 1);
    return tf.div(common, tf.sub(tf.add(area(a), area(b)), common)) as tf.Tensor1D;
  });
}

export function checkBoxes(op: string, name: string, boxes: tf.Tensor2D, B: number): void {
  checkTensors(op, [{ name, tensor: boxes, letters: "[B, 4]", shape: [B, 4] }]);
}

function checkPairs(op: string, boxes: readonly tf.Tensor2D[], truth: readonly tf.Tensor2D[]): void {
  checkFrames(op, boxes, truth.length);
  const B = boxes[0]!.shape[0];
  boxes.forEach((box, t) => {
    checkBoxes(op, `boxes[${t}]`, box, B);
    checkBoxes(op, `truth[${t}]`, truth[t]!, B);
  });
}

/** Throws unless there is a frame, and as many as are wanted. */
export function checkFrames(op: string, { length }: readonly unknown[], wanted?: number): void {
  if (length > 0 && (wanted ?? length) === length) return;
  throw new ShapeError("SHAPE", {
    op,
    rule: wanted === undefined ? "there must be a frame" : "there must be a true box for each, one or more",
    got: wanted === undefined ? "none" : `${length} and ${wanted}`,
    remedy: "give one tensor for each time",
  });
}
