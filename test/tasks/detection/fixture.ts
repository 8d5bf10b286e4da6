import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DEFAULT_DETECTION_RECIPE, type DetectionRecipe } from "../../../src/tasks/index.ts";
import { writeGrid } from "../../../src/tasks/scenes/grid/files.ts";
import type { GridCard } from "../../../src/tasks/scenes/grid/read.ts";
import { SceneGrid } from "../../../src/tasks/scenes/grid/scene-grid.ts";

/** A grid of random numbers as a folder that `startGrid` reads. */
export function tinyGrid(): string {
  const dir = path.join(mkdtempSync(path.join(tmpdir(), "heed-grid-")), "grid");
  const labels = ["0", "1", "2"];
  const grid = new SceneGrid(labels.length, 5);
  writeGrid(dir, grid, { labels, data: { name: "tiny" }, metrics: {} } as unknown as GridCard);
  grid.dispose();
  return dir;
}

/** A recipe of six steps over the grid in that folder. */
export const tinyRecipe = (grid: string): DetectionRecipe => ({
  ...DEFAULT_DETECTION_RECIPE,
  data: "tiny",
  grid,
  model: { nonLocal: 7, width: 12, heads: 3, inner: 13, encoderLayers: 1, decoderLayers: 2, queries: 5 },
  epochs: 2,
  epochScenes: 18,
  shardScenes: 3,
  shards: 2,
  learningRate: 3e-3,
  warmupSteps: 2,
  evaluateEvery: 2,
  validationScenes: 7,
  testScenes: 11,
});
