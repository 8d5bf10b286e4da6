import { scenePixels, scenesAt } from "../batches.ts";
import type { ItemPool } from "../item-pool.ts";
import type { SceneGrid } from "./scene-grid.ts";

/** Of the scenes of another split, always the same. */
const EVALUATION_SEED = 0;
const BATCH_SCENES = 100;

/** How many items the cells within their boxes name. */
export interface GridEvaluation {
  scenes: number;
  items: number;
  accuracy: number;
}

/** How many items of `count` scenes, always the same ones, the cells of a grid name. */
export function evaluateGrid(grid: SceneGrid, items: ItemPool, count: number): GridEvaluation {
  let [right, all] = [0, 0];
  for (let from = 0; from < count; from += BATCH_SCENES) {
    const scenes = scenesAt(items, EVALUATION_SEED, from, Math.min(BATCH_SCENES, count - from));
    const boxes = scenes.map((scene) => scene.items.map(({ box }) => box));
    for (const [b, named] of grid.name(scenePixels(scenes), boxes).entries())
      for (const [n, label] of named.entries()) {
        all++;
        if (label === scenes[b]!.items[n]!.label) right++;
      }
  }
  return { scenes: count, items: all, accuracy: right / all };
}
