import { expect, it } from "vitest";
import { type DetectionsData, detections, type Picture } from "../../src/viz/index.ts";
import { HOSTILE } from "./fixtures.ts";
import { all, parseXml } from "./xml.ts";

/** Two bright blocks on a slope, 20 × 30. */
const IMAGE: Picture = {
  height: 20,
  width: 30,
  values: Float32Array.from({ length: 600 }, (_, n) => {
    const [y, x] = [Math.floor(n / 30), n % 30];
    const isBlock = (x >= 4 && x < 10 && y >= 3 && y < 11) || (x >= 18 && x < 29 && y >= 10 && y < 16);
    return isBlock ? 0.9 : y / 60;
  }),
};
const map = (hot: number) => Array.from({ length: 6 }, (_, cell) => (cell === hot ? 0.75 : 0.05));
const DATA: DetectionsData = {
  image: IMAGE,
  grid: [2, 3],
  found: [
    { name: "tall", score: 0.987, box: { x: 4, y: 3, width: 6, height: 8 }, map: map(0) },
    { name: "wide", score: 0.5, box: { x: 18, y: 10, width: 11, height: 6 }, map: map(5).map((w) => w / 2) },
  ],
};

it("draws the image with all boxes, and each thing with its box and what its query looked at", async () => {
  const svg = detections(DATA, { theme: "auto" });
  await expect(svg).toMatchFileSnapshot("golden/detections.svg");
  const parsed = parseXml(svg);
  // Three times the image, two overlays.
  expect(all(parsed, "image")).toHaveLength(3 + 2);
  // 160 pixels for 30: a box of 6 × 8 at 4, 3 is one of 32 × 42.67, twice with a dark line and twice with its own.
  const scale = 160 / 30;
  const boxes = all(parsed, "rect").filter(({ attributes }) => attributes.stroke === "#00c853");
  expect(boxes).toHaveLength(2);
  for (const { attributes } of boxes) {
    expect(Number(attributes.width)).toBeCloseTo(6 * scale, 1);
    expect(Number(attributes.height)).toBeCloseTo(8 * scale, 1);
  }
  const [image] = all(parsed, "image").map(({ attributes }) => attributes);
  expect(Number(boxes[0]!.attributes.x) - Number(image!.x)).toBeCloseTo(4 * scale, 1);
  expect(Number(boxes[0]!.attributes.y) - Number(image!.y)).toBeCloseTo(3 * scale, 1);
  expect(all(parsed, "desc")[0]!.text).toBe(
    "2 found in an image of 20 × 30 pixels: “tall” 0.99, 6 × 8 at x 4, y 3; “wide” 0.50, 11 × 6 at x 18, y 10. " +
      "The brightest is a weight of 0.75.",
  );
});

it("lays a grid that reaches beyond the image where it belongs, and cuts it at the edges", () => {
  const place = { x: 0, y: -5, width: 30, height: 30 };
  const parsed = parseXml(detections({ ...DATA, place }));
  const frames = all(parsed, "image").map(({ attributes: { x, y, width, height } }) =>
    [x, y, width, height].map(Number),
  );
  const [image] = frames;
  const overlays = frames.filter(([, , width, height]) => width === height);
  expect(overlays).toHaveLength(2);
  expect(overlays[0]![1]! - image![1]!).toBeCloseTo((-5 * 160) / 30, 1);
  expect(all(parsed, "clipPath")).toHaveLength(3);
});

it("says that nothing was found, and keeps hostile names inert", () => {
  const none = parseXml(detections({ ...DATA, found: [] }));
  expect(all(none, "image")).toHaveLength(1);
  expect(all(none, "desc")[0]!.text).toBe("0 found in an image of 20 × 30 pixels. Nothing was found in it.");
  for (const name of HOSTILE) {
    const parsed = parseXml(detections({ ...DATA, found: [{ ...DATA.found[0]!, name }] }));
    expect(all(parsed, "script")).toHaveLength(0);
  }
});

it("refuses boxes without an area, scores that are no shares and maps of another size", () => {
  const refused = (change: object) => () =>
    detections({ ...DATA, found: [{ ...DATA.found[0]!, ...change }] });
  expect(refused({ box: { x: 0, y: 0, width: 0, height: 1 } })).toThrow(
    'detections: found[0].box must be a box with an area, got {"x":0,"y":0,"width":0,"height":1}; pass x, y, width and height in pixels',
  );
  expect(refused({ score: 1.5 })).toThrow("detections: found[0].score must be a number from 0 to 1, got 1.5");
  expect(refused({ map: [1, 2] })).toThrow(
    "detections: found[0].map must hold rows·columns = 6 numbers, got 2",
  );
  expect(refused({ map: [...map(0).slice(1), -1] })).toThrow(
    "detections: found[0].map must be weights of 0 or more, got -1",
  );
  expect(() => detections({ ...DATA, place: { x: 0, y: 0, width: Number.NaN, height: 2 } })).toThrow(
    "detections: place must be a place with an area",
  );
});
