import { describe, expect, test } from "vitest";
import { greyPicture, type RgbaPicture, sceneOf } from "../../../src/data/pictures/index.ts";

/** A grey picture without transparency. */
function picture(rows: number[][]): RgbaPicture {
  const data = Uint8Array.from(rows.flat().flatMap((grey) => [grey, grey, grey, 255]));
  return { height: rows.length, width: rows[0]!.length, channels: 4, data };
}

const square = ({ pixels, side }: { pixels: Uint8Array; side: number }) =>
  Array.from({ length: side }, (_, y) => [...pixels.subarray(y * side, (y + 1) * side)]);

describe("greyPicture", () => {
  test("weighs colours by their brightness, and lays what is transparent on white", () => {
    const data = Uint8Array.of(
      ...[255, 0, 0, 255],
      ...[0, 255, 0, 255],
      ...[0, 0, 255, 255],
      ...[0, 0, 0, 51],
    );
    const { pixels } = greyPicture({ height: 2, width: 2, channels: 4, data }, { side: 2 });
    // 0.299·255, 0.587·255, 0.114·255, and 255·(1 − 0.2)
    expect([...pixels]).toEqual([76, 150, 29, 204]);
  });

  test("averages the area of each pixel when it shrinks, by hand: 3 × 6 to 2 × 4 of a square of 4", () => {
    const made = greyPicture(
      picture([
        [0, 30, 60, 90, 120, 150],
        [0, 0, 0, 0, 0, 0],
        [210, 210, 210, 210, 210, 210],
      ]),
      { side: 4 },
    );
    // A column of the result is 1.5 of the picture's; so is a row.
    const top = [(0 + 15) / 1.5, (15 + 60) / 1.5, (90 + 60) / 1.5, (60 + 150) / 1.5];
    const first = top.map((x) => Math.round(x / 1.5));
    const second = Math.round(210 / 1.5);
    const [median] = [...first, second, second, second, second].toSorted((a, b) => a - b).slice(4);
    const margin = [median, median, median, median];
    expect(made.place).toEqual({ x: 0, y: 1, width: 4, height: 2 });
    expect(square(made)).toEqual([margin, first, [second, second, second, second], margin]);
  });

  test("keeps the mean when the sides are primes", () => {
    const rows = Array.from({ length: 31 }, (_, y) =>
      Array.from({ length: 31 }, (_, x) => (x * 7 + y * 13) % 251),
    );
    const { pixels } = greyPicture(picture(rows), { side: 13 });
    const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
    expect(Math.abs(mean([...pixels]) - mean(rows.flat()))).toBeLessThan(0.5);
  });

  test("keeps the size of a small picture, and puts it in the middle", () => {
    const made = greyPicture(
      picture([
        [9, 9, 9],
        [9, 200, 9],
      ]),
      { side: 5 },
    );
    expect(made.place).toEqual({ x: 1, y: 1, width: 3, height: 2 });
    expect(square(made)[2]).toEqual([9, 9, 200, 9, 9]);
  });

  test("inverts a picture whose border is light, where the background is to be black", () => {
    const rows = [
      [255, 255, 255],
      [255, 55, 255],
      [255, 255, 255],
    ];
    const made = greyPicture(picture(rows), { side: 3, background: 0 });
    expect(made.inverted).toBe(true);
    expect(square(made)).toEqual([
      [0, 0, 0],
      [0, 200, 0],
      [0, 0, 0],
    ]);
    expect(greyPicture(picture(rows), { side: 3, background: 255 })).toMatchObject({ inverted: false });
    expect(square(greyPicture(picture(rows), { side: 3 }))).toEqual(rows);
  });

  test("moves the border to the background, and keeps the far end where it is", () => {
    const dark = greyPicture(
      picture([
        [51, 51, 51],
        [51, 255, 0],
        [51, 51, 153],
      ]),
      { side: 3, background: 0 },
    );
    // 255·(g − 51)/204, and nothing below 0
    expect(square(dark)).toEqual([
      [0, 0, 0],
      [0, 255, 0],
      [0, 0, 128],
    ]);
    const light = greyPicture(
      picture([
        [204, 204, 204],
        [204, 0, 255],
        [204, 204, 102],
      ]),
      { side: 3, background: 255 },
    );
    expect(square(light)).toEqual([
      [255, 255, 255],
      [255, 0, 255],
      [255, 255, 128],
    ]);
  });

  test("of one line of pixels is one line", () => {
    const made = greyPicture(picture([Array.from({ length: 1009 }, () => 77)]), { side: 7, background: 0 });
    expect(made.place).toEqual({ x: 0, y: 3, width: 7, height: 1 });
    expect(new Set(made.pixels)).toEqual(new Set([0]));
  });

  test("refuses a side that is none", () => {
    expect(() => greyPicture(picture([[0]]), { side: 0 })).toThrow(
      "greyPicture: side must be a whole number from 1 to 4096, got 0; choose one in that range or leave it out",
    );
  });
});

test("a scene of light things on black stays as it is, byte for byte, and its negative becomes it", () => {
  const rows = Array.from({ length: 64 }, (_, y) =>
    Array.from({ length: 64 }, (_, x) => (x > 9 && x < 40 && y > 20 && y < 50 ? (x * y) % 256 : 0)),
  );
  expect(square(sceneOf(picture(rows)))).toEqual(rows);
  expect(square(sceneOf(picture(rows.map((row) => row.map((grey) => 255 - grey)))))).toEqual(rows);
});
