import { checkCount } from "../core/check-options.ts";
import { type Cells, MASKED, VALUE } from "./cells.ts";
import type { AttentionMap } from "./map/map.ts";
import { type TraceTensor, traceTensor } from "./trace/tensor.ts";

/**
 * A small picture of each head for a trace's `thumb`, so that the grid of all heads needs no maps.
 *
 *     cell = the largest weight of its block of n × n,    n = ⌈max(T, S) / side⌉
 *
 * Shapes: [H, ⌈T/n⌉, ⌈S/n⌉] in the code of `encodeU8Log`. Cost: one pass over the visible weights.
 *
 * @param side the most cells a side
 * @throws OptionError OPTION · LIMIT where the map is recomputed from too many queries and keys
 * @example
 * const map = denseMap({ H: 1, T: 2, S: 2, weights: [1, 0, 0.25, 0.75], maskSpec: { right: 0 } });
 * thumbnails(map).data; // Uint8Array [254, 255, 229, 249]
 */
export function thumbnails(map: AttentionMap, side = 32): TraceTensor {
  checkCount("thumbnails", "side", side);
  const { H, T, S } = map;
  const factor = Math.ceil(Math.max(T, S) / side);
  const [rows, columns] = [Math.ceil(T / factor), Math.ceil(S / factor)];
  const values = new Float32Array(H * rows * columns);
  const visible = new Uint8Array(values.length);
  for (let h = 0; h < H; h++) {
    const pooled = map.pooled(h, factor);
    values.set(pooled.values, h * rows * columns);
    visible.set(
      pooled.kinds.map((kind) => (kind === MASKED ? 0 : 1)),
      h * rows * columns,
    );
  }
  return traceTensor([H, rows, columns], values, "u8log", visible);
}

/** One head of a trace's `thumb` as cells. */
export function thumbnailCells(thumb: TraceTensor, head: number): Cells {
  const [, rows, columns] = thumb.shape as [number, number, number];
  const size = rows * columns;
  const values = thumb.slice(head * size, (head + 1) * size).slice();
  const kinds = Uint8Array.from(values, (_, cell) => (thumb.isMasked(head * size + cell) ? MASKED : VALUE));
  return { rows, columns, values, kinds };
}
