import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { RandomStream } from "../../../src/core/random.ts";
import { DEFAULT_RECIPE, type Recipe } from "../../../src/tasks/image-classification/recipe.ts";
import { writePart } from "../../support/idx.ts";

const [HEIGHT, WIDTH] = [8, 12];
/** In one training file of so many images the last twelfth is for validation. */
const [TRAIN, TEST] = [60, 17];

/** Sixty made-up images, 8 × 12: a bright bar lies, stands, or is not there, under noise. */
export function tinyImages(seed = 7): string {
  const dir = mkdtempSync(path.join(tmpdir(), "heed-images-"));
  const random = new RandomStream(seed);
  const part = (name: "train" | "t10k", count: number) => {
    const labels = Array.from({ length: count }, () => random.integer(3));
    const places = labels.map(() => [random.integer(HEIGHT - 1), random.integer(WIDTH - 1)] as const);
    const isBar = [(dy: number) => dy === 0 || dy === 1, (_: number, dx: number) => dx === 0 || dx === 1];
    const pixel = (n: number, y: number, x: number) => {
      const [top, left] = places[n]!;
      return (isBar[labels[n]!]?.(y - top, x - left) ? 180 : 20) + random.integer(50);
    };
    writePart(dir, name, { count, height: HEIGHT, width: WIDTH, pixel, label: (n) => labels[n]! });
  };
  part("train", TRAIN);
  part("t10k", TEST);
  return dir;
}

/** A recipe that trains in a second or two. */
export const TINY_RECIPE: Recipe = {
  ...DEFAULT_RECIPE,
  data: "tiny",
  model: { patch: 4, mean: 0.3, deviation: 0.3, layers: 2, width: 16, heads: 2, inner: 23, dropout: 0.05 },
  epochs: 30,
  shardImages: 11,
  learningRate: 1e-2,
  warmupSteps: 5,
  smoothing: 0.02,
  evaluateEvery: 20,
};
