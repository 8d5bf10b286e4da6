import type { Cells } from "../../inspect/cells.ts";
import { type AttentionMap, TILE } from "../../inspect/map/map.ts";
import type { Reduction } from "../../inspect/pyramid.ts";
import { cellsCanvas, type Look } from "./lookup.ts";
import { advance } from "./turn.ts";
import type { Window } from "./window.ts";

/** What tiles are made of. */
export interface TileSource {
  readonly map: AttentionMap;
  readonly head: number;
  readonly reduction: Reduction;
}

/** Works on a tile until a time; says whether it is there. */
export type Make = (until: number) => boolean;

/** Where a map is drawn, in pixels of the canvas. */
export interface Plot {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

interface Tile {
  readonly cells: Cells;
  canvas?: HTMLCanvasElement;
  look?: string;
}

/** Tiles in memory at most: 65,536 cells of five bytes and as many pixels each, 75 MB in all. */
const MOST_TILES = 128;

/** Tiles that were made, the least recently used of which are forgotten. */
export class TileStore {
  readonly #tiles = new Map<string, Tile>();
  readonly #ids = new WeakMap<AttentionMap, number>();
  #maps = 0;
  #begun: { readonly name: string; readonly steps: ReturnType<AttentionMap["tileSteps"]> } | undefined;

  #name({ map, head, reduction }: TileSource, level: number, x: number, y: number): string {
    const id = this.#ids.get(map) ?? this.#maps++;
    this.#ids.set(map, id);
    return [id, head, reduction, level, x, y].join();
  }

  /** A tile's picture in these colours, if the tile is there. */
  find(source: TileSource, level: number, x: number, y: number, look: Look): HTMLCanvasElement | undefined {
    const name = this.#name(source, level, x, y);
    const tile = this.#tiles.get(name);
    if (!tile) return undefined;
    this.#tiles.delete(name);
    this.#tiles.set(name, tile);
    const key = `${look.table[0]},${look.table[255]},${look.range},${look.scale},${look.notFinite}`;
    if (tile.look !== key) tile.canvas = cellsCanvas(tile.cells, look);
    tile.look = key;
    return tile.canvas;
  }

  /** Works on a tile until it is there or the time is up, and goes on with it when asked for the same one again. */
  make(source: TileSource, level: number, x: number, y: number, until: number): boolean {
    const name = this.#name(source, level, x, y);
    if (this.#begun?.name !== name)
      this.#begun = { name, steps: source.map.tileSteps(source.head, level, x, y, source.reduction) };
    const { done, value: cells } = advance(this.#begun.steps, until);
    if (!done) return false;
    this.#begun = undefined;
    this.#tiles.set(name, { cells });
    const [oldest] = this.#tiles.keys();
    if (this.#tiles.size > MOST_TILES) this.#tiles.delete(oldest!);
    return true;
  }
}

/** The level at which no pooled cell is smaller than a pixel, so that none is lost between pixels. */
export function levelOf(map: AttentionMap, window: Window, plot: Plot): number {
  const cells = Math.max(window.width / plot.width, window.height / plot.height);
  return Math.max(0, Math.min(map.levels - 1, Math.ceil(Math.log2(cells) - 1e-9)));
}

/**
 * Draws the tiles in view, or a coarser one in the place of one that is not there yet.
 *
 * @returns what makes the tiles that are missing, the middle of the view first
 */
export function drawTiles(
  context: CanvasRenderingContext2D,
  store: TileStore,
  source: TileSource,
  look: Look,
  window: Window,
  plot: Plot,
): Make[] {
  const { map } = source;
  const level = levelOf(map, window, plot);
  const side = TILE * 2 ** level;
  const [acrossPixels, downPixels] = [plot.width / window.width, plot.height / window.height];
  const missing: { distance: number; make: Make }[] = [];
  context.imageSmoothingEnabled = false;
  const draw = (tile: HTMLCanvasElement, at: number, x: number, y: number) => {
    const step = TILE * 2 ** at;
    const cell = 2 ** at;
    // Whole pixels, or the hatch behind would shine through between two tiles.
    const across = (column: number) => Math.round(plot.left + (column - window.x) * acrossPixels);
    const down = (row: number) => Math.round(plot.top + (row - window.y) * downPixels);
    const [left, top] = [across(x * step), down(y * step)];
    const [right, bottom] = [across(x * step + tile.width * cell), down(y * step + tile.height * cell)];
    context.drawImage(tile, left, top, right - left, bottom - top);
  };
  const last = (start: number, length: number, end: number) =>
    Math.floor((Math.min(end, start + length) - 1e-9) / side);
  for (let y = Math.floor(window.y / side); y <= last(window.y, window.height, map.T); y++)
    for (let x = Math.floor(window.x / side); x <= last(window.x, window.width, map.S); x++) {
      const tile = store.find(source, level, x, y, look);
      if (tile) {
        draw(tile, level, x, y);
        continue;
      }
      const distance = Math.hypot(
        (x + 0.5) * side - window.x - window.width / 2,
        (y + 0.5) * side - window.y - window.height / 2,
      );
      missing.push({ distance, make: (until) => store.make(source, level, x, y, until) });
      for (let up = 1; level + up < map.levels; up++) {
        const coarse = store.find(source, level + up, x >> up, y >> up, look);
        if (!coarse) continue;
        context.save();
        context.beginPath();
        const left = plot.left + (x * side - window.x) * acrossPixels;
        const top = plot.top + (y * side - window.y) * downPixels;
        context.rect(left, top, side * acrossPixels, side * downPixels);
        context.clip();
        draw(coarse, level + up, x >> up, y >> up);
        context.restore();
        break;
      }
    }
  return missing.sort((a, b) => a.distance - b.distance).map(({ make }) => make);
}
