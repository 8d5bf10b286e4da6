import { OptionError } from "../../core/errors.ts";
import { hungarian } from "../../core/hungarian.ts";
import { type BoundingBox, boxOverlap } from "./bounding-boxes.ts";

/** One object of a scene. */
export interface SceneObject {
  /** A class, counted from 0. */
  readonly label: number;
  /** Shares of the image. */
  readonly box: BoundingBox;
}

/** What a prediction costs where it stands for an object. */
export interface MatchingWeights {
  /** Of the class's probability, which is taken off. @default 1 */
  classification?: number;
  /** Of the distance of the boxes, |dx| + |dy| + |dwidth| + |dheight|. @default 5 */
  distance?: number;
  /** Of the generalised intersection over union, which is taken off. @default 2 */
  overlap?: number;
}

/** A prediction, counted from 0, and the object that it stands for. */
export type Match = readonly [query: number, object: number];

/** Predictions of one example, as numbers. */
export interface Predictions {
  /** [Q][classes + 1]: probabilities, the last that of no object. */
  readonly probabilities: readonly ArrayLike<number>[];
  /** [Q][4] */
  readonly boxes: readonly ArrayLike<number>[];
}

/**
 * The objects that predictions of a scene stand for: the matching of the least cost, one prediction for each object.
 *
 *     cost(q, o) = −classification·p_q(label_o) + distance·|box_q − box_o|₁ − overlap·generalizedIou(box_q, box_o)
 *
 * Conventions: with more objects than predictions, some objects go without. Exact, by `hungarian`.
 * Cost: O(n²·m) for n ≤ m predictions and objects. Paper: Carion et al. 2020 (DETR), §3.1, eq. 1, arxiv.org/abs/2005.12872.
 *
 * @returns pairs in the order of the predictions
 * @throws OptionError OPTION for a label that is no class, NOT_FINITE for predictions that are NaN
 * @example
 * const predictions = { probabilities: [[0.1, 0.9], [0.8, 0.2]], boxes: [[0.2, 0.2, 0.1, 0.1], [0.7, 0.7, 0.2, 0.2]] };
 * matchObjects(predictions, [{ label: 0, box: [0.7, 0.6, 0.2, 0.2] }]); // [[1, 0]]
 */
export function matchObjects(
  { probabilities, boxes }: Predictions,
  objects: readonly SceneObject[],
  weights: MatchingWeights = {},
): Match[] {
  const { classification = 1, distance = 5, overlap: common = 2 } = weights;
  const Q = probabilities.length;
  const costs = new Float64Array(Q * objects.length);
  for (let q = 0; q < Q; q++) {
    const [chances, box] = [probabilities[q]!, boxes[q]!];
    objects.forEach(({ label, box: wanted }, o) => {
      checkLabel("matchObjects", label, chances.length - 1);
      const apart = wanted.reduce((sum, n, axis) => sum + Math.abs(n - box[axis]!), 0);
      const { generalizedIou } = boxOverlap(box, wanted);
      costs[q * objects.length + o] =
        distance * apart - classification * chances[label]! - common * generalizedIou;
    });
  }
  const { columns } = hungarian(costs, Q, objects.length);
  return [...columns].flatMap((object, query): Match[] => (object < 0 ? [] : [[query, object]]));
}

/** Throws OPTION unless a label is one of so many classes. */
function checkLabel(op: string, label: number, classes: number): void {
  if (Number.isInteger(label) && label >= 0 && label < classes) return;
  throw new OptionError("OPTION", {
    op,
    rule: `a label must be an integer from 0 to ${classes - 1}`,
    got: label,
    remedy: "count classes from 0, or make a model with more of them",
  });
}
