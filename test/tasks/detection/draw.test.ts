import { expect, test } from "vitest";
import { importTrace, layerMap, writeTrace } from "../../../src/inspect/index.ts";
import { evaluate } from "../../../src/tasks/detection/evaluate.ts";
import {
  boxOnPicture,
  detectionTrace,
  drawDetections,
  type FoundItem,
  ItemPool,
  type SceneLook,
  scenesAt,
} from "../../../src/tasks/index.ts";
import { affineBox } from "../../../src/viz/index.ts";
import { tinyItems } from "../scenes/fixture.ts";

const map = (hot: number) => Float32Array.from({ length: 64 }, (_, cell) => (cell === hot ? 1 : 0));
const item = (name: string, box: FoundItem["box"], hot: number, score = 0.9): FoundItem => ({
  ...{ label: 0, score, box, query: 0, name, attention: map(hot) },
});
const LOOK: SceneLook = {
  found: [item("a", [0.25, 0.5, 0.25, 0.5], 9), item("b", [0.75, 0.75, 0.5, 0.25], 54)],
  heads: Float32Array.from([...map(1), ...map(2), ...map(3), ...map(4)]),
  grid: [8, 8],
};

test("boxes come back to pictures of any shape: by hand", () => {
  // A picture of 300 × 100 is 64 × 21 of the scene, between rows 21 and 42.
  const wide = { width: 300, height: 100, place: { x: 0, y: 21, width: 64, height: 21 } };
  const box = boxOnPicture([0.5, 31.5 / 64, 0.5, 10.5 / 64], wide)!;
  expect([box.x, box.y, box.width, box.height].map((n) => Math.round(n * 1e9) / 1e9)).toEqual([
    75, 25, 150, 50,
  ]);
  // One smaller than the scene stands in its middle as it is.
  const small = { width: 10, height: 20, place: { x: 27, y: 22, width: 10, height: 20 } };
  expect(boxOnPicture([0.5, 0.5, 4 / 64, 8 / 64], small)).toEqual({ x: 3, y: 6, width: 4, height: 8 });
  expect(boxOnPicture([0.5, 0.5, 1, 1], small)).toEqual({ x: 0, y: 0, width: 10, height: 20 });
  expect(boxOnPicture([0.1, 0.5, 0.1, 0.5], small)).toBeUndefined();
});

test("the trace has what every head looked at, and the boxes as glimpses", () => {
  const trace = detectionTrace(new Uint8Array(64 * 64).fill(7), LOOK)!;
  const again = importTrace(writeTrace(trace), "found.attn");
  expect(again.tokens.items).toEqual(["a 0.90", "b 0.90"]);
  expect(again.tokens.cells!.slice(7, 10)).toEqual(["1:8", "2:1", "2:2"]);
  expect(again.layers).toHaveLength(1);
  // Heads first: what head 1 of item 0 looked at is the third map.
  expect(layerMap(again.layers[0]!).row(1, 0).values.indexOf(1)).toBe(3);
  const corners = affineBox(again.glimpses[1]!.slice(), [64, 64], true);
  // Box b, 32 × 16 pixels around 48, 48: from the outer edge of its first pixel to that of its last.
  const expected = [31.5, 39.5, 63.5, 39.5, 63.5, 55.5, 31.5, 55.5];
  for (const [n, at] of corners.flat().entries()) expect(at).toBeCloseTo(expected[n]!, 4);
  expect(detectionTrace(new Uint8Array(64 * 64), { ...LOOK, found: [] })).toBeUndefined();
});

test("what lies beside the picture is not drawn", () => {
  const picture = { width: 20, height: 40, values: new Float32Array(800) };
  const svg = drawDetections(picture, LOOK, { place: { x: 22, y: 12, width: 20, height: 40 } });
  // Box a begins at column 8 of the scene and ends at 24, of which 2 lie on the picture.
  expect(svg).toContain("“a” 0.90, 2 × 32 at x 0, y 4");
  expect(svg).toContain("“b” 0.90, 10 × 12 at x 10, y 28");
});

test("evaluation counts what is right: a detector that knows all, one that misses, one that invents", () => {
  const items = ItemPool.of(
    tinyItems(30),
    [0, 1, 2].map((label) => ({ name: `${label}`, label })),
  );
  const scenes = scenesAt(items, 0, 0, 40);
  const of = (change: (found: FoundItem[], n: number) => FoundItem[]) => {
    let at = 0;
    const detect = (pixels: Uint8Array) =>
      Array.from({ length: pixels.length / 4096 }, () => {
        const found = scenes[at]!.items.map(({ label, name, box }) => ({
          ...item(name, box, 0),
          ...{ label, attention: Float32Array.from({ length: 64 }, () => 1 / 64) },
        }));
        return change(found, at++);
      });
    return evaluate({ detect } as unknown as Parameters<typeof evaluate>[0], items, 40);
  };
  const count = scenes.reduce((sum, scene) => sum + scene.items.length, 0);
  const all = of((found) => found);
  expect(all).toMatchObject({ scenes: 40, items: count, exact: 1 });
  for (const precision of [all.precision, ...all.precisions]) expect(precision).toBeCloseTo(1, 12);
  // An even map has the box's share of the scene inside the box.
  const areas = scenes.flatMap((scene) => scene.items.map(({ box }) => box[2] * box[3]));
  expect(all.attentionInside).toBeCloseTo(areas.reduce((sum, a) => sum + a, 0) / areas.length, 5);
  const many = scenes.filter((scene) => scene.items.length > 1).length;
  expect(of((found) => found.slice(0, 1)).exact).toBeCloseTo(1 - many / 40, 10);
  // Unsure inventions cost nothing before the least sure of the true ones, and are not told.
  const invented = of((found) => [...found, item("0", [0.5, 0.5, 0.01, 0.01], 0, 0.3)]);
  expect(invented.exact).toBe(1);
  expect(invented.precision).toBeCloseTo(1, 12);
  const sure = of((found) => [...found, item("0", [0.5, 0.5, 0.01, 0.01], 0, 0.95)]);
  expect(sure.exact).toBe(0);
  expect(sure.precisions[0]).toBeLessThan(0.6);
  const moved = of((found) => found.map((one) => ({ ...one, box: [one.box[0], one.box[1], 0.02, 0.02] })));
  expect(moved).toMatchObject({ precision: 0, exact: 0 });
});
