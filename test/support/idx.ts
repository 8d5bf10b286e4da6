import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";

/** An IDX file of bytes, number n of `value(n)`. */
export function idx(shape: readonly number[], value: (n: number) => number): Uint8Array {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt32BE(0x0800 + shape.length);
  shape.forEach((side, axis) => void header.writeUInt32BE(side, 4 + 4 * axis));
  const count = shape.reduce((product, n) => product * n, 1);
  return Uint8Array.of(...header, ...Array.from({ length: count }, (_, n) => value(n)));
}

/** Writes images and labels of one part as the files of MNIST. */
export function writePart(
  dir: string,
  part: "train" | "t10k",
  { count, height, width, pixel, label }: ImagePart,
): void {
  mkdirSync(dir, { recursive: true });
  const images = idx([count, height, width], (n) => {
    const at = n % (height * width);
    return pixel(Math.floor(n / (height * width)), Math.floor(at / width), at % width);
  });
  writeFileSync(path.join(dir, `${part}-images-idx3-ubyte.gz`), gzipSync(images));
  writeFileSync(path.join(dir, `${part}-labels-idx1-ubyte.gz`), gzipSync(idx([count], label)));
}

export interface ImagePart {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** 0 … 255, of image n at row y and column x. */
  pixel(n: number, y: number, x: number): number;
  label(n: number): number;
}
