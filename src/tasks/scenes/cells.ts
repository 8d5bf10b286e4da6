import type { BoundingBox } from "../../models/set/bounding-boxes.ts";
import type { Scene } from "./compose.ts";

/** Rows and columns of a grid over a scene. */
export type GridSize = readonly [rows: number, columns: number];

const edges = ([x, y, width, height]: BoundingBox) => ({
  left: x - width / 2,
  right: x + width / 2,
  top: y - height / 2,
  bottom: y + height / 2,
});

/**
 * The class of the item whose box has the middle of each cell, or the number of classes where none has.
 *
 * @returns [rows·columns]
 */
export function cellLabels({ items }: Scene, [rows, columns]: GridSize, classes: number): Int32Array {
  const labels = new Int32Array(rows * columns).fill(classes);
  for (const { label, box } of items) {
    const { left, right, top, bottom } = edges(box);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const [x, y] = [(column + 0.5) / columns, (row + 0.5) / rows];
        if (x >= left && x < right && y >= top && y < bottom) labels[row * columns + column] = label;
      }
  }
  return labels;
}

/**
 * The share of a map that lies inside a box; a cell that the box cuts counts by the share of its area.
 *
 *     Σ_i map_i · |cell_i ∩ box| / |cell_i|  /  Σ_i map_i
 *
 * @param map [rows·columns], at least 0; a map of zeros has the share 0
 * @example
 * massInside([1, 3], [1, 2], [0.75, 0.5, 0.5, 1]); // 0.75
 * massInside([1, 1], [1, 2], [0.5, 0.5, 0.5, 1]); // 0.5
 */
export function massInside(map: ArrayLike<number>, [rows, columns]: GridSize, box: BoundingBox): number {
  const { left, right, top, bottom } = edges(box);
  const within = (from: number, to: number, n: number, cells: number) =>
    Math.max(0, Math.min(to * cells, n + 1) - Math.max(from * cells, n));
  let [inside, all] = [0, 0];
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const mass = map[row * columns + column]!;
      inside += mass * within(top, bottom, row, rows) * within(left, right, column, columns);
      all += mass;
    }
  return all > 0 ? inside / all : 0;
}
