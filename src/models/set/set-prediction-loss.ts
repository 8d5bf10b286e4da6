import * as tf from "@tensorflow/tfjs-core";
import { ShapeError } from "../../core/errors.ts";
import { checkTensors } from "../../ops/check.ts";
import { softmaxCrossEntropy } from "../../ops/softmax-cross-entropy.ts";
import { tidy, tidyData } from "../../ops/tidy.ts";
import { generalizedIou } from "./bounding-boxes.ts";
import { type Match, type MatchingWeights, matchObjects, type SceneObject } from "./matching.ts";

/** What a detector says of each query. */
export interface SetPrediction {
  /** [B, Q, classes + 1], the last class is "no object". */
  readonly logits: tf.Tensor3D;
  /** [B, Q, 4], shares of the image. */
  readonly boxes: tf.Tensor3D;
}

export interface SetPredictionLossOptions extends MatchingWeights {
  /** Weight of the queries that stand for no object. @default 0.1 */
  noObject?: number;
}

export interface SetPredictionLoss {
  /** The weighted sum of the three. */
  readonly loss: tf.Scalar;
  /** Cross-entropy of the classes in nats, a weighted mean over all queries. */
  readonly classification: tf.Scalar;
  /** |box − box′|₁, a mean over the objects. */
  readonly distance: tf.Scalar;
  /** 1 − the generalised intersection over union, a mean over the objects. */
  readonly overlap: tf.Scalar;
  /** Which query stands for which object, for each example. */
  readonly matches: readonly (readonly Match[])[];
}

/**
 * The loss of a set of predictions against a set of objects, in whatever order both come.
 *
 *     matches   by `matchObjects`, which no gradient goes through
 *     loss = classification·CE(logits_q, label of q's object, or none) + distance·|box_q − box|₁ + overlap·(1 − giou)
 *
 * Shapes: logits [B, Q, classes + 1], boxes [B, Q, 4]; objects B lists, which may be empty.
 * Conventions: the boxes of queries without an object have no loss and no gradient. Their classes count by `noObject`, for
 * there are many. A batch without objects has the loss of its classes alone. Weights are those of the matching.
 * Cost: O(B·Q·(classes + objects²)). Paper: Carion et al. 2020 (DETR), §3.1 and appendix A.2, arxiv.org/abs/2005.12872.
 *
 * @throws ShapeError SHAPE · OptionError OPTION, NOT_FINITE
 * @example
 * const logits = tf.tensor3d([9, 0, 0, 9], [1, 2, 2]); // query 0 says class 0, query 1 no object
 * const boxes = tf.tensor3d([0.5, 0.5, 0.2, 0.2, 0.1, 0.1, 0.1, 0.1], [1, 2, 4]);
 * const { matches, distance } = setPredictionLoss({ logits, boxes }, [[{ label: 0, box: [0.5, 0.5, 0.2, 0.3] }]]);
 * matches; // [[[0, 0]]]
 * distance; // 0.100
 */
export function setPredictionLoss(
  { logits, boxes }: SetPrediction,
  objects: readonly (readonly SceneObject[])[],
  options: SetPredictionLossOptions = {},
): SetPredictionLoss {
  const op = "setPredictionLoss";
  const {
    classification: ofClass = 1,
    distance: ofDistance = 5,
    overlap: ofOverlap = 2,
    noObject = 0.1,
  } = options;
  const [B, Q, K] = logits.shape;
  checkTensors(op, [
    { name: "logits", tensor: logits, letters: "[B, Q, classes + 1]", shape: [B, Q, K] },
    { name: "boxes", tensor: boxes, letters: "[B, Q, 4]", shape: [B, Q, 4] },
  ]);
  if (objects.length !== B) {
    const remedy = "pass an empty list for a scene without objects";
    const got = `${objects.length} lists`;
    throw new ShapeError("SHAPE", {
      op,
      rule: `objects must be B=${B} lists, one for each scene`,
      got,
      remedy,
    });
  }
  const matches = matchAll({ logits, boxes }, objects, options);
  return tidy(() => {
    const labels = new Int32Array(B * Q).fill(K - 1);
    const counts = new Float32Array(B * Q).fill(noObject);
    const rows: number[] = [];
    const wanted: number[] = [];
    for (const [b, pairs] of matches.entries()) {
      for (const [query, object] of pairs) {
        const { label, box } = objects[b]![object]!;
        labels[b * Q + query] = label;
        counts[b * Q + query] = 1;
        rows.push(b * Q + query);
        wanted.push(...box);
      }
    }
    const flat = tf.reshape(logits, [B * Q, K]) as tf.Tensor2D;
    const losses = softmaxCrossEntropy(flat, tf.tensor1d(labels, "int32"), { weights: tf.tensor1d(counts) });
    const all = counts.reduce((sum, n) => sum + n, 0);
    const classification = tf.div(tf.sum(losses), Math.max(all, Number.MIN_VALUE)) as tf.Scalar;
    const { distance, overlap } = boxLosses(tf.reshape(boxes, [B * Q, 4]) as tf.Tensor2D, rows, wanted);
    const loss = tf.addN([
      tf.mul(classification, ofClass),
      tf.mul(distance, ofDistance),
      tf.mul(overlap, ofOverlap),
    ]) as tf.Scalar;
    return { loss, classification, distance, overlap, matches };
  });
}

/** The two losses of the boxes of these rows, 0 where there are none. */
function boxLosses(boxes: tf.Tensor2D, rows: readonly number[], wanted: readonly number[]) {
  if (rows.length === 0) {
    // Nothing times the boxes, so that what makes them has a gradient, which is 0.
    const none = tf.mul(tf.sum(boxes), 0) as tf.Scalar;
    return { distance: none, overlap: none };
  }
  const chosen = tf.gather(boxes, tf.tensor1d([...rows], "int32"));
  const targets = tf.tensor2d([...wanted], [rows.length, 4]);
  return {
    distance: tf.div(tf.sum(tf.abs(tf.sub(chosen, targets))), rows.length) as tf.Scalar,
    overlap: tf.sub(1, tf.mean(generalizedIou(chosen, targets))) as tf.Scalar,
  };
}

/** The matches of every example, of plain numbers. */
function matchAll(
  { logits, boxes }: SetPrediction,
  objects: readonly (readonly SceneObject[])[],
  weights: MatchingWeights,
): Match[][] {
  const [, Q, K] = logits.shape;
  const [chances, places] = tidyData(() => [tf.softmax(logits).dataSync(), boxes.dataSync()] as const);
  const rows = (values: Float32Array, b: number, width: number) =>
    Array.from({ length: Q }, (_, q) => values.subarray((b * Q + q) * width, (b * Q + q + 1) * width));
  return objects.map((own, b) =>
    matchObjects(
      { probabilities: rows(chances as Float32Array, b, K), boxes: rows(places as Float32Array, b, 4) },
      own,
      weights,
    ),
  );
}
