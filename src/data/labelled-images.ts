import { createHash } from "node:crypto";
import path from "node:path";
import { DataError } from "../core/errors.ts";
import type { Split } from "./dataset.ts";
import { readIdx } from "./idx.ts";
import { locateDataset } from "./locate.ts";

/** Grey images of one size, each with the number of its class. */
export interface LabelledImages {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** [count, height, width], 0 … 255. */
  readonly pixels: Uint8Array;
  /** [count] */
  readonly labels: Uint8Array;
}

const OP = "readImages";
/** One training image in so many is for validation, the last ones: 5,000 of MNIST's 60,000. */
const VALID_SHARE = 12;

/** What MNIST calls the files of its two parts. */
const FILES = ["train", "t10k"].flatMap((part) => [
  `${part}-images-idx3-ubyte.gz`,
  `${part}-labels-idx1-ubyte.gz`,
]);

/**
 * The folder of a data set of such files, in the catalogue or not: see `locateDataset`.
 *
 * @throws FileError MISSING
 */
export function locateImages(name: string, options: { readonly dir?: string } = {}): string {
  return locateDataset(name, { ...options, files: FILES });
}

/** Images `from` … `to` − 1, as views. */
export function sliceImages(
  { height, width, pixels, labels }: LabelledImages,
  from: number,
  to: number,
): LabelledImages {
  const size = height * width;
  return {
    count: to - from,
    height,
    width,
    pixels: pixels.subarray(from * size, to * size),
    labels: labels.subarray(from, to),
  };
}

/**
 * Images of a folder with the four files of MNIST or one of its kin. There is no official validation part: the last
 * twelfth of the training images is one, and `train` is what stands before it.
 *
 * @throws FileError UNREADABLE, DataError FORMAT, DAMAGED, LIMIT, SHAPE where there are too few to leave some
 *   for validation, MISMATCH where images and labels do not belong together
 * @example
 * readImages(locateImages("fashion-mnist"), "valid").count; // 5000
 */
export function readImages(folder: string, split: Split): LabelledImages {
  if (split === "test") return readPart(folder, "t10k");
  return readTraining(folder)[split];
}

/** Both parts of the training images, in one reading. */
export function readTraining(folder: string): Record<"train" | "valid", LabelledImages> {
  const all = readPart(folder, "train");
  const first = all.count - Math.floor(all.count / VALID_SHARE);
  if (first === all.count) {
    const rule = `there must be ${VALID_SHARE} training images or more, the last twelfth for validation`;
    throw new DataError("SHAPE", { op: OP, rule, got: all.count, remedy: "give more images", folder });
  }
  return { train: sliceImages(all, 0, first), valid: sliceImages(all, first, all.count) };
}

function readPart(folder: string, part: "train" | "t10k"): LabelledImages {
  const imagesFile = path.join(folder, `${part}-images-idx3-ubyte.gz`);
  const labelsFile = path.join(folder, `${part}-labels-idx1-ubyte.gz`);
  const images = readIdx(imagesFile);
  const labels = readIdx(labelsFile);
  const [count = 0, height = 0, width = 0] = images.shape;
  const refuse = (rule: string, got: string) => {
    const remedy = "copy the files of one data set";
    throw new DataError("MISMATCH", { op: OP, rule, got, remedy, folder });
  };
  if (images.shape.length !== 3 || images.data.length === 0)
    refuse(`${imagesFile} must have images [N, height, width]`, `[${images.shape.join(", ")}]`);
  if (labels.shape.length !== 1 || labels.shape[0] !== count)
    refuse(`${labelsFile} must have a label for each of ${count} images`, `[${labels.shape.join(", ")}]`);
  return { count, height, width, pixels: images.data, labels: labels.data };
}

/** sha256 of the size, the pixels and the labels: equal exactly when the images are, in their order. */
export function imagesChecksum({ count, height, width, pixels, labels }: LabelledImages): string {
  return createHash("sha256")
    .update(`${count} ${height} ${width}\n`)
    .update(pixels)
    .update(labels)
    .digest("hex");
}
