import type { Cells } from "../../inspect/cells.ts";
import { pool } from "../../inspect/pyramid.ts";
import { thumbnailCells } from "../../inspect/thumbnails.ts";
import type { ModelLayer } from "../model.ts";
import { cellsCanvas, type Lookup, type Range } from "../parts/lookup.ts";

/** A thumbnail has at most so many cells a side. */
const SIDE = 32;
const GAP = 6;
const LARGEST = 88;
const SMALLEST = 12;
const NAMES = 84;
const NUMBERS = 28;

/** Where the heads stand, in pixels. */
export interface GridLayout {
  readonly left: number;
  readonly top: number;
  /** From one head to the next. */
  readonly step: number;
  readonly cell: number;
  readonly height: number;
}

export function gridLayout(width: number, rows: number, columns: number): GridLayout {
  const left = width > 480 ? NAMES : NUMBERS;
  const top = 34;
  // A page may give no room at all; the steps from head to head still go forward.
  const room = Math.max(1, (width - left - 2) / columns);
  const cell = Math.max(Math.min(SMALLEST, room - 1), Math.min(LARGEST, Math.floor(room - GAP)));
  const step = Math.min(room, cell + GAP);
  return { left, top, step, cell: Math.min(cell, step - 1), height: top + rows * step + 2 };
}

/** A head as a small picture, a row of its map a step; hidden keys stay clear. */
export function* thumbnailSteps(
  layer: ModelLayer,
  head: number,
  table: Lookup,
  range: Range,
): Generator<undefined, HTMLCanvasElement, undefined> {
  const cells = layer.thumb ? thumbnailCells(layer.thumb, head) : yield* pooled(layer, head);
  return cellsCanvas(cells, {
    table,
    range,
    notFinite: 0xff0000ff,
  });
}

function* pooled({ map }: ModelLayer, head: number): Generator<undefined, Cells, undefined> {
  const cells = yield* map.tileSteps(head, map.levels - 1, 0, 0);
  return pool(cells, Math.max(1, Math.ceil(Math.max(cells.rows, cells.columns) / SIDE)));
}
