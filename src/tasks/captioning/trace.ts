import { createTrace, type Trace, traceTensor } from "../../inspect/index.ts";
import { encodePng } from "../../viz/index.ts";
import { SCENE_SIDE } from "../scenes/compose.ts";
import { GRID_SIZE } from "../scenes/grid/scene-grid.ts";
import type { Caption } from "./captioner.ts";

/**
 * Where each word of a caption looked, as a trace: a layer `attention`, `caption` over `cells` of the picture, and the gate
 * `beta` [T]. Undefined where there is no word.
 *
 * @param pixels [64, 64], what was captioned
 */
export function captionTrace(pixels: Uint8Array, { words, weights, gates }: Caption): Trace | undefined {
  const T = words.length;
  if (T === 0) return undefined;
  const [rows, columns] = GRID_SIZE;
  const cells = Array.from({ length: rows * columns }, (_, n) => {
    return `${Math.floor(n / columns) + 1}:${(n % columns) + 1}`;
  });
  const attn = traceTensor(
    [1, T, rows * columns],
    weights.flatMap((map) => Array.from(map)),
  );
  return createTrace({
    tokens: { caption: words, cells },
    layers: [{ name: "attention", alignQ: "caption", alignK: "cells", attn }],
    gates: { beta: traceTensor([T], gates) },
    image: encodePng({ height: SCENE_SIDE, width: SCENE_SIDE, channels: 1, data: pixels }),
    grid: { height: rows, width: columns, patch: SCENE_SIDE / rows, cls: 0 },
  });
}
