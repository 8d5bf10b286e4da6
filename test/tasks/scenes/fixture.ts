import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { RandomStream } from "../../../src/core/random.ts";
import type { LabelledImages } from "../../../src/data/labelled-images.ts";
import { writePart } from "../../support/idx.ts";

const [HEIGHT, WIDTH] = [11, 7];
const CLASSES = 3;

/** A block of one brightness under noise, which lies, stands or fills the image. */
function brightness(label: number, y: number, x: number): number {
  const isInside = [y >= 3 && y < 8, x >= 2 && x < 5, true][label];
  return isInside ? [250, 170, 90][label]! : 0;
}

/** Made-up items of three classes, 11 × 7. */
export function tinyItems(count: number, seed = 7): LabelledImages {
  const random = new RandomStream(seed);
  const labels = Uint8Array.from({ length: count }, (_, n) => n % CLASSES);
  const pixels = Uint8Array.from({ length: count * HEIGHT * WIDTH }, (_, n) => {
    const [image, at] = [Math.floor(n / (HEIGHT * WIDTH)), n % (HEIGHT * WIDTH)];
    const value = brightness(labels[image]!, Math.floor(at / WIDTH), at % WIDTH);
    return value === 0 ? 0 : value - random.integer(30);
  });
  return { count, height: HEIGHT, width: WIDTH, pixels, labels };
}

/** The same as the four files of MNIST, in a temporary folder. */
export function tinyItemFiles(): string {
  const dir = mkdtempSync(path.join(tmpdir(), "heed-items-"));
  for (const [part, count, seed] of [
    ["train", 72, 7],
    ["t10k", 17, 8],
  ] as const) {
    const { pixels, labels } = tinyItems(count, seed);
    const size = { height: HEIGHT, width: WIDTH };
    const pixel = (n: number, y: number, x: number) => pixels[(n * HEIGHT + y) * WIDTH + x]!;
    writePart(dir, part, { count, ...size, pixel, label: (n) => labels[n]! });
  }
  return dir;
}
