import { describe, expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { augmented } from "../../../src/tasks/image-classification/augment.ts";
import { patchesOf } from "../../../src/tasks/image-classification/patches.ts";

const bytes = (count: number) => Uint8Array.from({ length: count }, (_, n) => n + 1);

test("patches come in rows from the top, each with its pixels in rows", () => {
  // Two images of 4 × 6 in patches of 2 × 2, so three to a row.
  const format = { height: 4, width: 6, patch: 2, mean: 0.25, deviation: 0.5 };
  const pixels = bytes(2 * 24);
  const patches = patchesOf(pixels, format);
  const patch = (n: number, p: number) => Array.from(patches.slice((n * 6 + p) * 4, (n * 6 + p + 1) * 4));
  const read = (values: number[]) => values.map((value) => Math.fround((value / 255 - 0.25) / 0.5));
  expect(patch(0, 0)).toEqual(read([1, 2, 7, 8]));
  expect(patch(0, 2)).toEqual(read([5, 6, 11, 12]));
  expect(patch(0, 3)).toEqual(read([13, 14, 19, 20]));
  expect(patch(1, 5)).toEqual(read([24 + 17, 24 + 18, 24 + 23, 24 + 24]));
});

describe("augmented", () => {
  const size = { height: 3, width: 5 };

  test("changes nothing without a shift and a flip", () => {
    const pixels = bytes(2 * 15);
    expect(augmented(pixels, size, { shift: 0, flip: false }, new RandomStream(1))).toEqual(pixels);
  });

  test("gives each image as it is or in a mirror, about half of each", () => {
    const one = bytes(15);
    const mirror = Uint8Array.of(5, 4, 3, 2, 1, 10, 9, 8, 7, 6, 15, 14, 13, 12, 11);
    const pixels = Uint8Array.from({ length: 400 * 15 }, (_, n) => one[n % 15]!);
    const seen = augmented(pixels, size, { shift: 0, flip: true }, new RandomStream(1));
    const images = Array.from({ length: 400 }, (_, n) => `${seen.subarray(n * 15, (n + 1) * 15)}`);
    const mirrored = images.filter((image) => image === `${mirror}`).length;
    expect(images.filter((image) => image === `${one}`).length).toBe(400 - mirrored);
    // 200 ± 4 deviations of 10.
    expect(Math.abs(mirrored - 200)).toBeLessThan(40);
  });

  test("moves by every number of pixels up to the shift, evenly, with background behind", () => {
    const dot = new Uint8Array(7 * 7);
    dot[3 * 7 + 3] = 9;
    const pixels = Uint8Array.from({ length: 2500 * 49 }, (_, n) => dot[n % 49]!);
    const square = { height: 7, width: 7 };
    const seen = augmented(pixels, square, { shift: 2, flip: false }, new RandomStream(2));
    const places = new Map<number, number>();
    for (let n = 0; n < 2500; n++) {
      const at = seen.subarray(n * 49, (n + 1) * 49).indexOf(9);
      places.set(at, (places.get(at) ?? 0) + 1);
    }
    const expected = [1, 2, 3, 4, 5].flatMap((y) => [1, 2, 3, 4, 5].map((x) => y * 7 + x));
    expect([...places.keys()].toSorted((a, b) => a - b)).toEqual(expected);
    // 100 each ± 5 deviations of √96.
    for (const count of places.values()) expect(Math.abs(count - 100)).toBeLessThan(50);
    expect(seen.reduce((sum, value) => sum + value, 0)).toBe(2500 * 9);
  });

  test("moves out what leaves the image, and nothing comes in on the other side", () => {
    const random = new RandomStream(3);
    for (let n = 0; n < 20; n++) {
      const seen = augmented(new Uint8Array(15).fill(1), size, { shift: 2, flip: true }, random);
      const rows = [0, 1, 2].map((y) => seen.subarray(y * 5, y * 5 + 5).some(Boolean));
      const columns = [0, 1, 2, 3, 4].map((x) => [0, 5, 10].some((y) => seen[y + x]));
      const [height, width] = [rows, columns].map((side) => side.filter(Boolean).length);
      expect(seen.reduce((sum, value) => sum + value, 0)).toBe(height! * width!);
      expect(height).toBeGreaterThan(0);
      expect(width).toBeGreaterThan(2);
    }
  });
});
