import * as tf from "@tensorflow/tfjs-core";
import { expect, it } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { averagePrecision } from "../../../src/models/set/average-precision.ts";
import { type BoundingBox, boxOverlap, generalizedIou } from "../../../src/models/set/bounding-boxes.ts";
import { type Match, matchObjects, type SceneObject } from "../../../src/models/set/matching.ts";
import { gradcheckTensors } from "../../../src/testing/gradcheck.ts";
import { distance, onEveryBackend, ROUNDING } from "../../attention/support.ts";

/** Boxes on a grid of eighths, so that their areas are exact and may be counted in cells. */
function gridBox(random: RandomStream): BoundingBox {
  const axis = () => {
    const from = random.integer(8);
    const length = 1 + random.integer(8 - from);
    return [(from + length / 2) / 8, length / 8] as const;
  };
  const [[x, width], [y, height]] = [axis(), axis()];
  return [x, y, width, height];
}

const covers = ([x, y, width, height]: BoundingBox, column: number, row: number) =>
  Math.abs((column + 0.5) / 8 - x) < width / 2 && Math.abs((row + 0.5) / 8 - y) < height / 2;

/** Counts the cells of both, of either, and of the hull. */
function countCells(a: BoundingBox, b: BoundingBox) {
  const cells = Array.from({ length: 64 }, (_, e) => [e % 8, Math.floor(e / 8)] as const);
  const [inA, inB] = [a, b].map((box) => cells.filter(([column, row]) => covers(box, column, row)));
  const inner = inA!.filter((cell) => inB!.includes(cell)).length;
  const union = new Set([...inA!, ...inB!]);
  const reach = (axis: 0 | 1) => {
    const all = [...union].map((cell) => cell[axis]);
    return Math.max(...all) - Math.min(...all) + 1;
  };
  const hull = reach(0) * reach(1);
  const iou = inner / union.size;
  return { iou, generalizedIou: iou - (hull - union.size) / hull };
}

it("the overlap of two boxes is what counting cells gives, apart, touching and within each other", () => {
  const random = new RandomStream(1);
  for (let n = 0; n < 300; n++) {
    const [a, b] = [gridBox(random), gridBox(random)];
    const [found, counted] = [boxOverlap(a, b), countCells(a, b)];
    expect(Math.abs(found.iou - counted.iou)).toBeLessThanOrEqual(2 ** -50);
    expect(Math.abs(found.generalizedIou - counted.generalizedIou)).toBeLessThanOrEqual(2 ** -50);
  }
});

it("boxes without an area overlap in nothing", () => {
  expect(boxOverlap([0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0])).toEqual({ iou: 0, generalizedIou: 0 });
  expect(boxOverlap([0.5, 0.5, 0, 0.2], [0.5, 0.5, 1, 1])).toEqual({ iou: 0, generalizedIou: 0 });
});

onEveryBackend("generalizedIou", () => {
  it("is that of numbers, and passes the gradient check", () => {
    const random = new RandomStream(2);
    const pairs = Array.from({ length: 40 }, () => [gridBox(random), gridBox(random)] as const);
    const boxes = (side: 0 | 1) => tf.tensor2d(pairs.map((pair) => [...pair[side]]));
    const expected = pairs.map(([a, b]) => boxOverlap(a, b).generalizedIou);
    expect(distance(generalizedIou(boxes(0), boxes(1)).dataSync(), expected)).toBeLessThanOrEqual(
      16 * ROUNDING,
    );
    // Boxes whose edges are no nearer to each other than the steps of the check: it meets no kink.
    const apart = {
      a: tf.tensor2d([
        [0.2, 0.3, 0.2, 0.3],
        [2, 3, 3, 4],
      ]),
      b: tf.tensor2d([
        [0.8, 0.9, 0.4, 0.5],
        [3, 4, 4, 5],
      ]),
    };
    const f = ({ a, b }: Record<string, tf.Tensor>) => generalizedIou(a as tf.Tensor2D, b as tf.Tensor2D);
    expect(() => gradcheckTensors(f, apart, 64)).not.toThrow();
  });

  it("of boxes without an area has a finite gradient", () => {
    const none = tf.zeros<tf.Rank.R2>([1, 4]);
    const gradient = tf.grad((a) => generalizedIou(a as tf.Tensor2D, none))(none);
    expect(gradient.dataSync().every(Number.isFinite)).toBe(true);
    expect(() => generalizedIou(none, tf.zeros([2, 4]))).toThrow(
      "generalizedIou: b must be float32 of shape [N, 4] = [1, 4], got float32 of shape [2, 4]; the letters must mean the " +
        "same sizes in all of the call's tensors",
    );
  });
});

/** The cost of a match by the paper's formula. */
function costOf(chances: number[], box: BoundingBox, { label, box: wanted }: SceneObject): number {
  const apart = box.reduce((sum, n, axis) => sum + Math.abs(n - wanted[axis]!), 0);
  return 5 * apart - chances[label]! - 2 * boxOverlap(box, wanted).generalizedIou;
}

/** The least cost of all ways to give each object another query. */
function leastCost(costs: number[][], objects: number, taken = new Set<number>(), object = 0): number {
  if (object === objects) return 0;
  let least = Infinity;
  for (const [query, row] of costs.entries()) {
    if (taken.has(query)) continue;
    taken.add(query);
    least = Math.min(least, row[object]! + leastCost(costs, objects, taken, object + 1));
    taken.delete(query);
  }
  return least;
}

it("matching of queries and objects costs the least of all ways there are, up to 6 queries and objects", () => {
  const random = new RandomStream(3);
  for (let n = 0; n < 150; n++) {
    const Q = 1 + random.integer(6);
    const objects = Array.from({ length: random.integer(Q + 1) }, () => ({
      label: random.integer(3),
      box: gridBox(random),
    }));
    const probabilities = Array.from({ length: Q }, () => {
      const numbers = [0, 0, 0, 0].map(() => random.uniform() + 0.01);
      return numbers.map((n) => n / numbers.reduce((a, b) => a + b, 0));
    });
    const boxes = Array.from({ length: Q }, () => gridBox(random));
    const matches = matchObjects({ probabilities, boxes }, objects);
    expect(matches.map(([, object]) => object).toSorted()).toEqual([...objects.keys()]);
    const costs = boxes.map((box, q) => objects.map((object) => costOf(probabilities[q]!, box, object)));
    const cost = matches.reduce((sum, [query, object]) => sum + costs[query]![object]!, 0);
    expect(Math.abs(cost - leastCost(costs, objects.length))).toBeLessThanOrEqual(1e-12);
  }
});

it("of more objects than queries some go without, and a label that is no class is refused", () => {
  const box: BoundingBox = [0.5, 0.5, 0.2, 0.2];
  const far: BoundingBox = [0.1, 0.1, 0.2, 0.2];
  const predictions = { probabilities: [[0.5, 0.5]], boxes: [box] };
  const matches: Match[] = matchObjects(predictions, [
    { label: 0, box: far },
    { label: 0, box },
  ]);
  expect(matches).toEqual([[0, 1]]);
  expect(() => matchObjects(predictions, [{ label: 1, box }])).toThrow(
    "matchObjects: a label must be an integer from 0 to 0, got 1; count classes from 0, or make a model with more of them",
  );
  expect(() => matchObjects({ probabilities: [[Number.NaN, 0]], boxes: [box] }, [{ label: 0, box }])).toThrow(
    "hungarian: every cost must be a number above −Infinity, got NaN at row 0, column 0;",
  );
});

it("average precision of a case worked by hand", () => {
  const box: BoundingBox = [0.5, 0.5, 0.2, 0.2];
  const other: BoundingBox = [0.2, 0.2, 0.2, 0.2];
  const found = (score: number, where: BoundingBox, label = 0) => ({ label, score, box: where, query: 0 });
  const objects = [
    { label: 0, box },
    { label: 0, box: other },
  ];
  // Right, wrong (found before), right: precision 1, ½, ⅔ at recall ½, ½, 1; area ½·1 + ½·⅔.
  const scene = {
    found: [found(0.9, box), found(0.8, box), found(0.7, other), found(0.95, box, 1)],
    objects,
  };
  expect(averagePrecision([scene])).toBeCloseTo(1 / 2 + 1 / 3, 12);
  // Detections are told apart by their scene, and one that overlaps by less than `least` is wrong.
  expect(
    averagePrecision([
      { found: [], objects },
      { found: [found(1, box)], objects: [] },
    ]),
  ).toBe(0);
  const shifted: BoundingBox = [0.55, 0.5, 0.2, 0.2]; // 15/25 of the two together
  expect(averagePrecision([{ found: [found(1, shifted)], objects: objects.slice(0, 1) }], 0.59)).toBe(1);
  expect(averagePrecision([{ found: [found(1, shifted)], objects: objects.slice(0, 1) }], 0.61)).toBe(0);
  expect(averagePrecision([{ found: [found(1, box)], objects: [] }])).toBeNaN();
});
