import { averagePrecision } from "../../models/set/average-precision.ts";
import { boxOverlap } from "../../models/set/bounding-boxes.ts";
import { scenePixels, scenesAt } from "../scenes/batches.ts";
import { massInside } from "../scenes/cells.ts";
import type { Scene } from "../scenes/compose.ts";
import { GRID_SIZE } from "../scenes/grid/scene-grid.ts";
import type { ItemPool } from "../scenes/item-pool.ts";
import type { FoundItem, ItemDetector } from "./detector.ts";

/** How well the items of scenes are found. */
export interface Evaluation {
  scenes: number;
  items: number;
  /** AP50: average precision at an overlap of half, a mean over the classes. */
  precision: number;
  /** That of each class, by its number. */
  precisions: number[];
  /** The share of scenes in which exactly the items that are there have a score of a half or more, each with its class and box. */
  exact: number;
  /** What a query looks at inside its own box, as a share of all that it looks at: a mean over items with a score of a half. */
  attentionInside: number;
  seconds: number;
}

/** Scenes are always the same, whatever a recipe's seed. */
const EVALUATION_SEED = 0;
const BATCH_SCENES = 100;
const [SCORE, OVERLAP] = [0.5, 0.5];

/** Detects the items of `count` scenes, always the same ones of a pool, and compares them with what is there. */
export function evaluate(
  detector: Pick<ItemDetector, "detect" | "card">,
  items: ItemPool,
  count: number,
): Evaluation {
  const all: { found: FoundItem[]; objects: Scene["items"] }[] = [];
  let seconds = 0;
  for (let from = 0; from < count; from += BATCH_SCENES) {
    const scenes = scenesAt(items, EVALUATION_SEED, from, Math.min(BATCH_SCENES, count - from));
    const pixels = scenePixels(scenes);
    const begun = performance.now();
    const found = detector.detect(pixels, { least: 0 });
    seconds += (performance.now() - begun) / 1000;
    all.push(...scenes.map((scene, n) => ({ found: found[n]!, objects: scene.items })));
  }
  const precisions = items.classes.map((_, label) => {
    const ofClass = <T extends { label: number }>(list: readonly T[]) =>
      list.filter((one) => one.label === label);
    return averagePrecision(
      all.map(({ found, objects }) => ({ found: ofClass(found), objects: ofClass(objects) })),
      OVERLAP,
    );
  });
  const sure = all.map(({ found, objects }) => ({
    objects,
    found: found.filter(({ score }) => score >= SCORE),
  }));
  const shares = sure.flatMap(({ found }) =>
    found.map(({ attention, box }) => massInside(attention, GRID_SIZE, box)),
  );
  return {
    scenes: count,
    items: all.reduce((sum, { objects }) => sum + objects.length, 0),
    precision: averagePrecision(all, OVERLAP),
    precisions,
    exact: sure.filter(isExact).length / count,
    attentionInside: shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length),
    seconds,
  };
}

/** Whether every item was found once, and nothing else. */
function isExact({ found, objects }: { found: readonly FoundItem[]; objects: Scene["items"] }): boolean {
  const left = [...objects];
  for (const { label, box } of found) {
    const at = left.findIndex((one) => one.label === label && boxOverlap(one.box, box).iou >= OVERLAP);
    if (at < 0) return false;
    left.splice(at, 1);
  }
  return left.length === 0;
}
