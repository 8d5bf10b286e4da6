import { describe, expect, it } from "vitest";
import { OptionError, ShapeError } from "../../src/core/errors.ts";
import {
  affineBox,
  binaryAxis,
  colorAt,
  gaussianAxis,
  gaussianBox,
  glimpse,
  hex,
  image,
  marginals,
  type Picture,
} from "../../src/viz/index.ts";
import { HOSTILE } from "./fixtures.ts";
import { all, parseXml } from "./xml.ts";

/** A bright disc on a slope, 24 × 32. */
const IMAGE: Picture = {
  height: 24,
  width: 32,
  channels: 3,
  values: Float32Array.from({ length: 24 * 32 * 3 }, (_, n) => {
    const [y, x, c] = [Math.floor(n / 96), Math.floor(n / 3) % 32, n % 3];
    return Math.hypot(y - 9, x - 20) < 5 ? [0.95, 0.75, 0.2][c]! : 0.15 + x / 80;
  }),
};
const GREY: Picture = { height: 2, width: 3, values: [0, 0.2, 0.4, 0.6, 0.8, 1] };
const golden = (name: string) => `golden/${name}.svg`;

describe("image", () => {
  const map = (row: number, column: number) =>
    Array.from({ length: 12 }, (_, cell) => (cell === row * 4 + column ? 0.45 : 0.05));
  const data = {
    image: IMAGE,
    grid: [3, 4] as const,
    maps: [map(1, 2), map(0, 0), map(2, 3)],
    words: ["a", "yellow", "disc"],
  };

  it("draws the image and, for each word, what it looked at", async () => {
    const svg = image(data, { theme: "auto", columns: 4 });
    await expect(svg).toMatchFileSnapshot(golden("image"));
    const parsed = parseXml(svg);
    expect(all(parsed, "image")).toHaveLength(4 + 3);
    expect(all(parsed, "desc")[0]!.text).toBe(
      "3 words over 3 × 4 cells of an image: “a” looked most at row 2, column 3 (0.45); “yellow” looked most at row 1, " +
        "column 1 (0.45); “disc” looked most at row 3, column 4 (0.45). The brightest is a weight of 0.45.",
    );
  });

  it("says when it has smoothed, and gives every word the same scale", () => {
    const svg = image(
      { ...data, maps: [map(1, 2).map((w) => w / 2), map(0, 0), map(2, 3)] },
      { smooth: true },
    );
    expect(all(parseXml(svg), "desc")[0]!.text).toContain("a weight of 0.45; smoothed between cells.");
  });

  it("keeps hostile words inert", () => {
    const words = HOSTILE.slice(0, 8);
    const svg = parseXml(image({ image: GREY, grid: [1, 1], maps: words.map(() => [1]), words }));
    expect(all(svg, "script")).toEqual([]);
  });

  it("draws maps of more weights than a call may have arguments", () => {
    const map = new Float32Array(400 * 400).fill(0.25);
    const svg = image({ image: GREY, grid: [400, 400], maps: [map], words: ["all"] });
    expect(all(parseXml(svg), "desc")[0]!.text).toContain("row 1, column 1 (0.25)");
  });

  it("refuses maps and images that do not fit, and weights below 0", () => {
    expect(() => image({ image: GREY, grid: [2, 2], maps: [[1]], words: ["a"] })).toThrow(ShapeError);
    expect(() => image({ image: GREY, grid: [1, 1], maps: [[1]], words: [] })).toThrow(
      /^image: words must be one word for each map/,
    );
    expect(() => image({ image: GREY, grid: [1, 1], maps: [[-1]], words: ["a"] })).toThrow(
      "image: maps[0] must be weights of 0 or more, got -1; pass the weights, not the scores",
    );
    const cut = { ...GREY, height: 3 };
    expect(() => image({ image: cut, grid: [1, 1], maps: [[1]], words: ["a"] })).toThrow(
      /^image: image\.values must hold height·width·channels = 9 numbers, got 6/,
    );
  });
});

describe("glimpse", () => {
  // The four panels of the article's notebook: u = 2, s = 0.5, d = 1, and a spatial transformer of scale 0.4.
  const crop = gaussianBox({ u: 2, d: 1 }, { u: 2, d: 1 }, [9, 9]);
  const theta = [0.4, 0, 0.2, 0, 0.4, -0.1];
  const seen = (height: number, width: number): Picture => ({
    height,
    width,
    values: Float32Array.from({ length: height * width }, (_, n) => n / (height * width)),
  });
  const data = {
    image: IMAGE,
    glimpses: [
      { name: "Crop", glimpse: seen(9, 9), box: crop },
      {
        name: "Gaussian",
        glimpse: seen(9, 9),
        box: gaussianBox({ u: 2, d: 1.7 }, { u: 12, d: 1.5 }, [9, 9]),
      },
      { name: "Spatial transformer", glimpse: seen(9, 9), box: affineBox(theta, [24, 32], true) },
    ],
  };

  it("draws the image with its boxes, and what was seen", async () => {
    await expect(glimpse(data, { theme: "dark" })).toMatchFileSnapshot(golden("glimpse"));
  });

  it("puts the corners of each box where its parameters say, to half a pixel of the image", () => {
    const svg = parseXml(glimpse(data, { panelWidth: 320 }));
    const drawn = all(svg, "polygon").filter(({ attributes }) => attributes["data-name"]);
    expect(drawn.map(({ attributes }) => attributes["data-name"])).toEqual([
      "Crop",
      "Gaussian",
      "Spatial transformer",
    ]);
    const points = (n: number) =>
      drawn[n]!.attributes.points!.split(" ").map((point) => {
        const [x, y] = point.split(",").map(Number);
        return [(x! - 16) / 10 - 0.5, (y! - 44) / 10 - 0.5];
      });
    for (const [n, { box }] of data.glimpses.entries()) {
      points(n).forEach(([x, y], corner) => {
        expect(Math.hypot(x! - box[corner]![0], y! - box[corner]![1])).toBeLessThan(0.5);
      });
    }
  });

  it("refuses nothing to show and boxes that are none", () => {
    expect(() => glimpse({ image: GREY, glimpses: [] })).toThrow(OptionError);
    const box = [[0, 0]] as unknown as typeof crop;
    expect(() => glimpse({ image: GREY, glimpses: [{ name: "a", glimpse: GREY, box }] })).toThrow(
      "glimpse: glimpses[0].box must be four corners of finite numbers, got [[0,0]]; make it with gaussianBox or affineBox",
    );
  });
});

describe("marginals", () => {
  it("draws a_x above, a_y to the right, and their product", async () => {
    const data = {
      y: gaussianAxis(12, 4, { u: 3, d: 1.5, s: 0.8 }),
      x: gaussianAxis(16, 4, { u: 6, d: 1, s: 0.5 }),
    };
    await expect(marginals(data)).toMatchFileSnapshot(golden("marginals"));
  });

  it("colours each pixel by a_y·a_x, binary masks too", () => {
    const y = binaryAxis(3, 1, 2);
    const x = gaussianAxis(5, 1, { u: 2, d: 1, s: 1 });
    const fills = all(parseXml(marginals({ y, x })), "rect").filter(({ attributes }) =>
      attributes.fill?.startsWith("#"),
    );
    expect(fills).toHaveLength(15 + 5 + 3);
    fills.slice(0, 15).forEach(({ attributes }, cell) => {
      expect(attributes.fill).toBe(hex(colorAt("viridis", y[Math.floor(cell / 5)]! * x[cell % 5]!)));
    });
  });

  it("has its largest value, 1, at the centre of every Gaussian", () => {
    const axis = gaussianAxis(10, 3, { u: 2, d: 3, s: 0.4 });
    expect([2, 5, 8].map((i) => axis[i])).toEqual([1, 1, 1]);
    expect(axis[3]).toBeCloseTo(Math.exp(-0.5 / 0.16), 12);
  });

  it("refuses numbers outside 0 to 1 and a deviation of 0", () => {
    expect(() => marginals({ y: [0.5], x: [2] })).toThrow(
      "marginals: x must be one number or more, from 0 to 1, got 2; make it with gaussianAxis or binaryAxis",
    );
    expect(() => marginals({ y: [], x: [1] })).toThrow(OptionError);
    expect(() => gaussianAxis(5, 1, { u: 0, d: 1, s: 0 })).toThrow(/^gaussianAxis: s must be above 0, got 0/);
  });
});
