import { type Cells, VALUE } from "../../inspect/cells.ts";
import { hex, paletteIndex, type Rgb, textOn } from "../../viz/color.ts";
import { colorPosition } from "../../viz/scale.ts";
import type { Colors } from "../../viz/svg/theme.ts";
import type { Pin } from "../selection.ts";
import { hatch } from "./hatch.ts";
import { type AxisLabel, axisLabels, fitted } from "./labels.ts";
import { type Look, pixel } from "./lookup.ts";
import { place } from "./place.ts";
import { drawTiles, levelOf, type Make, type Plot, type TileSource, TileStore } from "./tiles.ts";
import { TURN_MS } from "./turn.ts";
import type { Window } from "./window.ts";

/** What a plot shows. */
export interface PlotInput extends Omit<Look, "notFinite"> {
  readonly source: TileSource;
  readonly colors: Colors;
  readonly window: Window;
  readonly rowTokens: readonly string[];
  readonly columnTokens: readonly string[];
  readonly pins: readonly Pin[];
}

/** Tiles are made for so long in the turn that has laid out the page besides: enough for all of a small map. */
const FIRST_MS = 8;
const FONT = 12;
const GAP = 6;
const TITLE = 20;
const ROW_TITLE = "← queries (output)";
const COLUMN_TITLE = "keys (input) →";
/** Few rows are made high enough for their tokens, so long as the plot stays within so many pixels. */
const READABLE_ROW = 18;
const MOST_READABLE = 432;
/** From this size on, a cell holds its number. */
const NUMBER_WIDTH = 34;
const NUMBER_HEIGHT = 20;

/** Draws a map with its axes on a canvas, as large as the canvas' place is wide. */
export class MapPlot {
  /** The cells' place in CSS pixels. */
  plot: Plot = { left: 0, top: 0, width: 1, height: 1 };
  /** A pixel shows at most so many cells a side: the largest of them. */
  factor = 1;
  readonly #store = new TileStore();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Draws now what there is; `done` is called once everything is there. */
  draw(canvas: HTMLCanvasElement, width: number, input: PlotInput, done: () => void): void {
    clearTimeout(this.#timer);
    const scale = globalThis.devicePixelRatio || 1;
    const context = canvas.getContext("2d")!;
    const family = getComputedStyle(canvas).fontFamily;
    context.font = `${FONT * scale}px ${family}`;
    const layout = layOut(context, Math.floor(width * scale), scale, input);
    const { plot, height } = layout;
    this.factor = 2 ** levelOf(input.source.map, input.window, plot);
    const size = [Math.floor(width * scale), Math.ceil(height)] as const;
    if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
    canvas.style.height = `${size[1] / scale}px`;
    this.plot = {
      left: plot.left / scale,
      top: plot.top / scale,
      width: plot.width / scale,
      height: plot.height / scale,
    };
    let missing = this.#paint(context, input, layout, scale, family);
    const makeSome = (ms: number) => {
      const until = performance.now() + ms;
      let isNew = false;
      for (const make of missing) {
        isNew = make(until) || isNew;
        if (performance.now() >= until) break;
      }
      if (isNew) missing = this.#paint(context, input, layout, scale, family);
      if (missing.length === 0) done();
      else this.#timer = setTimeout(makeSome, 0, TURN_MS);
    };
    makeSome(FIRST_MS);
  }

  /** Puts an element over the cells. */
  cover(element: HTMLElement): void {
    const { left, top, width, height } = this.plot;
    place(element, left, top, width, height);
  }

  /** Forgets what it was about to draw. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #paint(
    context: CanvasRenderingContext2D,
    input: PlotInput,
    layout: Layout,
    scale: number,
    family: string,
  ): Make[] {
    const { colors, window, source, table, range, scale: colorScale, pins } = input;
    const { plot } = layout;
    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    context.font = `${FONT * scale}px ${family}`;
    context.save();
    context.beginPath();
    context.rect(plot.left, plot.top, plot.width, plot.height);
    context.clip();
    context.fillStyle = hatch(context, colors, scale);
    context.fillRect(plot.left, plot.top, plot.width, plot.height);
    const look = { table, range, scale: colorScale, notFinite: pixel(rgbOf(colors.invalidLine)) };
    const missing = drawTiles(context, this.#store, source, look, window, plot);
    const [w, h] = [plot.width / window.width, plot.height / window.height];
    if (w >= NUMBER_WIDTH * scale && h >= NUMBER_HEIGHT * scale) writeNumbers(context, input, plot);
    context.lineWidth = 2 * scale;
    for (const { query, key } of pins) {
      const [x, y] = [plot.left + (key - window.x) * w, plot.top + (query - window.y) * h];
      const [width, height] = [Math.max(w, 6 * scale), Math.max(h, 6 * scale)];
      const [left, top] = [x + (w - width) / 2, y + (h - height) / 2];
      context.strokeStyle = "#000000";
      context.strokeRect(left, top, width, height);
      context.strokeStyle = "#ffffff";
      context.strokeRect(left + 2 * scale, top + 2 * scale, width - 4 * scale, height - 4 * scale);
    }
    context.restore();
    context.strokeStyle = colors.line;
    context.lineWidth = scale;
    context.strokeRect(plot.left - scale / 2, plot.top - scale / 2, plot.width + scale, plot.height + scale);
    context.fillStyle = colors.text;
    drawAxes(context, input, layout, scale);
    return missing;
  }
}

interface Layout {
  readonly plot: Plot;
  readonly height: number;
  readonly rowLabels: readonly AxisLabel[];
  readonly columnLabels: readonly AxisLabel[];
  /** Whether the tokens below stand upright. */
  readonly upright: boolean;
}

/** Where everything is, in pixels of the canvas. */
function layOut(context: CanvasRenderingContext2D, width: number, scale: number, input: PlotInput): Layout {
  const { window, rowTokens, columnTokens } = input;
  const widest = (labels: readonly AxisLabel[], most: number) =>
    labels.reduce((widest, { text }) => Math.max(widest, Math.min(most, context.measureText(text).width)), 0);
  const most = Math.min(120 * scale, 0.25 * width);
  const guess = axisLabels(
    rowTokens,
    window.y,
    window.y + window.height,
    (0.7 * width) / scale / window.height,
  );
  const left = Math.ceil((TITLE + GAP) * scale + widest(guess, most));
  const plotWidth = Math.max(16 * scale, width - left - 4 * scale);
  const square = (plotWidth * window.height) / window.width;
  const rows = window.height * READABLE_ROW * scale;
  const readable = rows <= MOST_READABLE * scale ? rows : 0;
  const plotHeight = Math.round(Math.min(Math.max(square, readable, 24 * scale), 1.3 * plotWidth));
  // Half of a label may stand above the plot.
  const top = Math.ceil((FONT * scale) / 2 + 2 * scale);
  const plot = { left, top, width: plotWidth, height: plotHeight };
  const pitch = plotHeight / scale / window.height;
  const rowLabels = axisLabels(rowTokens, window.y, window.y + window.height, pitch);
  const across = plotWidth / scale / window.width;
  const columnLabels = axisLabels(columnTokens, window.x, window.x + window.width, across);
  const room =
    (plotWidth / window.width) * (columnLabels.length > 1 ? columnLabels[1]!.at - columnLabels[0]!.at : 1);
  const longest = widest(columnLabels, 90 * scale);
  const upright = longest + 6 * scale > room;
  const depth = upright ? longest : FONT * scale;
  return {
    plot,
    height: top + plotHeight + depth + (2 * GAP + TITLE) * scale,
    rowLabels,
    columnLabels,
    upright,
  };
}

function drawAxes(context: CanvasRenderingContext2D, input: PlotInput, layout: Layout, scale: number): void {
  const { window } = input;
  const { plot, height, rowLabels, columnLabels, upright } = layout;
  const gap = GAP * scale;
  context.textBaseline = "middle";
  context.textAlign = "right";
  const room = plot.left - gap - (TITLE - 2) * scale;
  for (const { text, at } of rowLabels) {
    const y = plot.top + ((at + 0.5 - window.y) * plot.height) / window.height;
    context.fillText(fitted(context, text, room), plot.left - gap, y);
  }
  for (const { text, at } of columnLabels) {
    const x = plot.left + ((at + 0.5 - window.x) * plot.width) / window.width;
    const y = plot.top + plot.height + gap;
    context.save();
    context.translate(x, upright ? y : y + (FONT * scale) / 2);
    if (upright) context.rotate(-Math.PI / 2);
    context.textAlign = upright ? "right" : "center";
    context.fillText(fitted(context, text, 90 * scale), 0, 0);
    context.restore();
  }
  context.textAlign = "center";
  context.fillText(COLUMN_TITLE, plot.left + plot.width / 2, height - (TITLE * scale) / 2);
  context.save();
  context.translate((TITLE * scale) / 2, plot.top + plot.height / 2);
  context.rotate(-Math.PI / 2);
  if (context.measureText(ROW_TITLE).width <= plot.height) context.fillText(ROW_TITLE, 0, 0);
  context.restore();
}

function writeNumbers(context: CanvasRenderingContext2D, input: PlotInput, plot: Plot): void {
  const { window, source, table, range, scale } = input;
  const end = Math.min(source.map.T, Math.ceil(window.y + window.height));
  const begin = Math.floor(window.y);
  const cells: Cells = source.map.rows(source.head, begin, end);
  const [w, h] = [plot.width / window.width, plot.height / window.height];
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (let t = begin; t < end; t++)
    for (let s = Math.floor(window.x); s < Math.min(cells.columns, window.x + window.width); s++) {
      const e = (t - begin) * cells.columns + s;
      if (cells.kinds[e] !== VALUE) continue;
      const value = cells.values[e]!;
      const color = table[paletteIndex(colorPosition(value, ...range, scale))]!;
      context.fillStyle = hex(textOn([color & 255, (color >> 8) & 255, (color >> 16) & 255]));
      const text = value.toFixed(2).replace("-", "−");
      context.fillText(text, plot.left + (s + 0.5 - window.x) * w, plot.top + (t + 0.5 - window.y) * h);
    }
}

function rgbOf(color: string): Rgb {
  const number = Number.parseInt(color.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}
