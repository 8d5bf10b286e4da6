import { createTrace, type Trace, traceTensor } from "../../inspect/index.ts";
import type { BoundingBox } from "../../models/set/bounding-boxes.ts";
import { encodePng } from "../../viz/index.ts";
import { SCENE_SIDE } from "../scenes/compose.ts";
import type { SceneLook } from "./detector.ts";

/** Rows and columns that a box is sampled at, where it is shown by itself. */
const BOX_SAMPLES: [number, number] = [28, 28];

/**
 * What was found in a scene as a trace: the scene with its grid, a layer `queries` of what each head of each item's query
 * looked at, a layer `non-local` of what each cell read, where the detector has such a block, and the boxes as glimpses.
 * Undefined where nothing was found.
 *
 * @param pixels [64, 64], those that were looked at
 */
export function detectionTrace(
  pixels: Uint8Array,
  { found, heads, cells, grid }: SceneLook,
): Trace | undefined {
  if (found.length === 0) return undefined;
  const [rows, columns] = grid;
  const S = rows * columns;
  const H = heads.length / (found.length * S);
  const names = Array.from({ length: S }, (_, n) => `${Math.floor(n / columns) + 1}:${(n % columns) + 1}`);
  const read = cells && {
    name: "non-local",
    alignQ: "cells",
    alignK: "cells",
    attn: traceTensor([1, S, S], Array.from(cells)),
  };
  return createTrace({
    name: "What each query looked at",
    image: encodePng({ height: SCENE_SIDE, width: SCENE_SIDE, channels: 1, data: pixels }),
    grid: { height: rows, width: columns, patch: SCENE_SIDE / rows, cls: 0 },
    tokens: { cells: names, items: found.map(({ name, score }) => `${name} ${score.toFixed(2)}`) },
    layers: [
      {
        name: "queries",
        alignQ: "items",
        alignK: "cells",
        attn: traceTensor([H, found.length, S], Array.from(heads)),
      },
      ...(read ? [read] : []),
    ],
    glimpses: found.map(({ box }) => traceTensor([2, 3], affineOf(box))),
    glimpseSizes: found.map(() => BOX_SAMPLES),
  });
}

/**
 * θ of the spatial transformer whose corners are those of a box, with aligned corners: ±1 are the centres of the first and
 * the last pixel.
 */
function affineOf([x, y, width, height]: BoundingBox): number[] {
  const scale = SCENE_SIDE / (SCENE_SIDE - 1);
  return [width * scale, 0, (2 * x - 1) * scale, 0, height * scale, (2 * y - 1) * scale];
}
