import { expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { boxOverlap } from "../../../src/models/set/bounding-boxes.ts";
import { scenePixels, scenesAt } from "../../../src/tasks/scenes/batches.ts";
import { cellLabels, massInside } from "../../../src/tasks/scenes/cells.ts";
import { composeScene, SCENE_SIDE } from "../../../src/tasks/scenes/compose.ts";
import { ItemPool } from "../../../src/tasks/scenes/item-pool.ts";
import { captionOf, relationsOf } from "../../../src/tasks/scenes/relations.ts";
import { tinyItems } from "./fixture.ts";

const CLASSES = ["mat", "post", "wall"].map((name, label) => ({ name, label }));
const pool = ItemPool.of(tinyItems(31), CLASSES);
const scenes = scenesAt(pool, 5, 0, 400);

test("items do not overlap, and all that is bright lies in their boxes", () => {
  for (const { items, pixels } of scenes) {
    for (const [n, { box }] of items.entries())
      for (const other of items.slice(n + 1)) expect(boxOverlap(box, other.box).iou).toBe(0);
    const rest = pixels.slice();
    for (const { box } of items) {
      const [x, y, width, height] = box.map((share) => share * SCENE_SIDE) as [
        number,
        number,
        number,
        number,
      ];
      const edge = { left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 };
      // Boxes are tight, in whole pixels, and within the picture.
      for (const side of Object.values(edge))
        expect(Number.isInteger(side) && side >= 0 && side <= SCENE_SIDE).toBe(true);
      const line = (at: number, isRow: boolean) =>
        pixels.some((value, n) => value > 0 && (isRow ? Math.floor(n / SCENE_SIDE) : n % SCENE_SIDE) === at);
      expect([line(edge.top, true), line(edge.bottom - 1, true), line(edge.left, false)]).toEqual([
        true,
        true,
        true,
      ]);
      for (let row = edge.top; row < edge.bottom; row++)
        rest.fill(0, row * SCENE_SIDE + edge.left, row * SCENE_SIDE + edge.right);
    }
    expect(rest.every((value) => value === 0)).toBe(true);
  }
});

test("what is said of a scene is true of its boxes", () => {
  for (const scene of scenes) {
    for (const { subject, relation, object } of relationsOf(scene)) {
      const axis = relation === "left of" ? 0 : 1;
      const [a, b] = [scene.items[subject]!.box, scene.items[object]!.box];
      expect(a[axis] + a[axis + 2]! / 2).toBeLessThanOrEqual(b[axis] - b[axis + 2]! / 2);
    }
  }
  const said = new Map(
    scenes.map((scene) => [
      scene.arrangement,
      captionOf(scene)
        .filter((word) => !CLASSES.some(({ name }) => name === word))
        .join(" "),
    ]),
  );
  expect(Object.fromEntries(said)).toEqual({
    one: "a",
    row: "a left of a",
    column: "a above a",
    "left-of-column": "a left of a above a",
    "above-row": "a above a left of a",
    square: "a left of a above a left of a",
  });
});

test("counts, arrangements and classes come about equally often, and a class more than once", () => {
  const counts = [1, 2, 3, 4].map((count) => scenes.filter(({ items }) => items.length === count).length);
  // 400 of chance ¼: 100 ± 4 deviations of 8.7.
  for (const count of counts) expect(Math.abs(count - 100)).toBeLessThan(35);
  const pairs = scenes.filter(({ items }) => items.length === 2);
  const same = pairs.filter(({ items: [a, b] }) => a!.label === b!.label).length / pairs.length;
  // ¼ + ¾·⅓ = ½.
  expect(Math.abs(same - 0.5)).toBeLessThan(4 * Math.sqrt(0.25 / pairs.length));
});

test("the same seed gives the same scenes, wherever they are begun", () => {
  expect(scenesAt(pool, 5, 7, 2)).toEqual(scenes.slice(7, 9));
  expect(scenesAt(pool, 6, 7, 2)).not.toEqual(scenes.slice(7, 9));
  expect(scenePixels(scenes.slice(0, 2)).subarray(SCENE_SIDE ** 2)).toEqual(scenes[1]!.pixels);
});

test("bad counts and empty classes are refused", () => {
  for (const [least, most] of [
    [0, 1],
    [1, 5],
    [3, 2],
    [1.5, 2],
  ] as const)
    expect(() => composeScene(pool, new RandomStream(1), { least, most })).toThrow(
      `composeScene: least and most must be integers from 1 to 4, least first, got ${least} and ${most}; choose others`,
    );
  expect(() => ItemPool.of(tinyItems(2), CLASSES)).toThrow(
    "ItemPool.of: every class must have an image, got none of wall",
  );
});

test("cells take the class of the box over their middle", () => {
  const items = [
    { label: 1, name: "post", box: [0.25, 0.5, 0.5, 0.5], image: 0 },
    { label: 0, name: "mat", box: [0.9, 0.1, 0.2, 0.2], image: 0 },
  ] as const;
  const labels = cellLabels({ pixels: new Uint8Array(), items, arrangement: "row" }, [4, 5], 3);
  expect(Array.from(labels)).toEqual([3, 3, 3, 3, 0, 1, 1, 3, 3, 3, 1, 1, 3, 3, 3, 3, 3, 3, 3, 3]);
});

test("mass inside a box counts cut cells by their area, against pixels one by one", () => {
  const random = new RandomStream(3);
  const map = Float32Array.from({ length: 15 }, () => random.uniform());
  const box = [0.4, 0.55, 0.3, 0.5] as const;
  // 3 × 5 cells of 200 × 120 pixels each.
  let [inside, all] = [0, 0];
  for (let y = 0; y < 600; y++)
    for (let x = 0; x < 600; x++) {
      const mass = map[Math.floor(y / 200) * 5 + Math.floor(x / 120)]!;
      const isInside =
        Math.abs((x + 0.5) / 600 - box[0]) < box[2] / 2 && Math.abs((y + 0.5) / 600 - box[1]) < box[3] / 2;
      if (isInside) inside += mass;
      all += mass;
    }
  // Sums of 360,000 numbers in float64, with box edges on pixel edges.
  expect(massInside(map, [3, 5], box)).toBeCloseTo(inside / all, 9);
  expect(massInside(new Float32Array(15), [3, 5], box)).toBe(0);
});
