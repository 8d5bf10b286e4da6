import { type ImageAttentionOptions, image } from "../../viz/index.ts";
import type { ImageClassifier } from "./classifier.ts";
import { gridOf } from "./config.ts";
import { patchRollout } from "./patch-rollout.ts";

/**
 * The images side by side, and below them what the class token of each came from: the rollout over its patches.
 *
 * @param pixels [N, height, width], 0 … 255
 * @returns an SVG document
 * @throws ShapeError SHAPE
 */
export function drawRollouts(
  classifier: ImageClassifier,
  pixels: Uint8Array,
  options: ImageAttentionOptions = {},
): string {
  const { image: format } = classifier.card.model;
  const { height, width } = format;
  const [rows, columns] = gridOf(format);
  const found = classifier.classify(pixels);
  const size = height * width;
  const images = found.map((_, n) => pixels.subarray(n * size, (n + 1) * size));
  const shares = images.map((one) => patchRollout(classifier.look(one)));
  const values = sideBySide(images, width).map((value) => value / 255);
  const names = found.map(({ name }) => name).join(" · ");
  return image(
    {
      image: { height, width: width * found.length, values },
      grid: [rows, columns * found.length],
      maps: [sideBySide(shares, columns)],
      words: [`rollout: ${names}`],
    },
    { title: "What the class token came from", columns: 1, panelWidth: 160 * found.length, ...options },
  );
}

/** Pictures of one size as one, from left to right. */
function sideBySide(pictures: readonly ArrayLike<number>[], width: number): number[] {
  const rows = pictures[0]!.length / width;
  return Array.from({ length: rows }, (_, y) =>
    pictures.flatMap((picture) => Array.from({ length: width }, (_, x) => picture[y * width + x]!)),
  ).flat();
}
