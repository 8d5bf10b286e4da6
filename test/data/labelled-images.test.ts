import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fashionMnist } from "../../src/data/datasets/fashion-mnist.ts";
import { imagesChecksum, readImages } from "../../src/data/labelled-images.ts";
import { idx, writePart } from "../support/idx.ts";
import { itWithData } from "../support/shared-data.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "heed-images-"));
  const part = { height: 3, width: 5, label: (n: number) => n % 7 };
  writePart(dir, "train", { ...part, count: 29, pixel: (n, y, x) => n + 40 * y + 10 * x });
  writePart(dir, "t10k", { ...part, count: 2, pixel: () => 0 });
});
afterEach(() => rmSync(dir, { recursive: true }));

describe("readImages", () => {
  test("keeps the last twelfth of the training images for validation, and mixes nothing up", () => {
    const [train, valid] = [readImages(dir, "train"), readImages(dir, "valid")];
    expect([train.count, valid.count, readImages(dir, "test").count]).toEqual([27, 2, 2]);
    expect(train).toMatchObject({ height: 3, width: 5 });
    expect(train.pixels).toHaveLength(27 * 15);
    expect(valid.pixels).toHaveLength(2 * 15);
    // Image 27, its second row and third column: 27 + 40 + 20.
    expect(valid.pixels[1 * 5 + 2]).toBe(87);
    expect(Array.from(valid.labels)).toEqual([27 % 7, 28 % 7]);
    expect(Array.from(train.labels.subarray(-2))).toEqual([25 % 7, 26 % 7]);
  });

  test("refuses too few images to leave some for validation", () => {
    writePart(dir, "train", { height: 3, width: 5, count: 11, pixel: () => 0, label: () => 0 });
    expect(() => readImages(dir, "train")).toThrow(
      "readImages: there must be 12 training images or more, the last twelfth for validation, got 11; give more images",
    );
  });

  test("refuses labels of other images", () => {
    const labels = join(dir, "t10k-labels-idx1-ubyte.gz");
    writeFileSync(
      labels,
      idx([3], () => 0),
    );
    expect(() => readImages(dir, "test")).toThrow(
      `readImages: ${labels} must have a label for each of 2 images, got [3]; copy the files of one data set`,
    );
  });

  test("refuses labels in place of images", () => {
    const images = join(dir, "t10k-images-idx3-ubyte.gz");
    writeFileSync(
      images,
      idx([2], () => 0),
    );
    expect(() => readImages(dir, "test")).toThrow(
      `readImages: ${images} must have images [N, height, width], got [2]; copy the files of one data set`,
    );
  });

  test("refuses a file without images", () => {
    writeFileSync(
      join(dir, "t10k-images-idx3-ubyte.gz"),
      idx([0, 3, 5], () => 0),
    );
    expect(() => readImages(dir, "test")).toThrow("got [0, 3, 5]");
  });
});

test("imagesChecksum depends on every pixel, every label and the size", () => {
  const images = { count: 1, height: 1, width: 2, pixels: Uint8Array.of(3, 4), labels: Uint8Array.of(5) };
  const others = [
    { ...images, pixels: Uint8Array.of(4, 3) },
    { ...images, labels: Uint8Array.of(6) },
    { ...images, height: 2, width: 1 },
  ];
  const sums = [images, ...others].map(imagesChecksum);
  expect(new Set(sums).size).toBe(4);
  expect(imagesChecksum({ ...images })).toBe(sums[0]);
});

itWithData("fashion-mnist")("the splits of fashion-mnist are those of the catalogue", (folder) => {
  for (const split of ["valid", "test"] as const) {
    const images = readImages(folder, split);
    expect({ rows: images.count, sha256: imagesChecksum(images) }).toEqual(fashionMnist.splits[split]);
  }
  expect(fashionMnist.files.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(fashionMnist.bytes);
});
