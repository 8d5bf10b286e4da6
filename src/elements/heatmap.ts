import { html, nothing, type TemplateResult } from "lit";
import { type Cells, MASKED } from "../inspect/cells.ts";
import { PALETTES } from "../viz/color.ts";
import { formatNumber, LOG_FLOOR } from "../viz/scale.ts";
import { HeedChart } from "./chart.ts";
import { clamp } from "./element.ts";
import { helpTemplate } from "./heatmap/help.ts";
import { Pointer } from "./heatmap/pointer.ts";
import type { Model } from "./model.ts";
import { nextToken } from "./parts/find.ts";
import type { Cursor } from "./parts/keys.ts";
import { fillLegend, legendTemplate } from "./parts/legend.ts";
import { listTemplate } from "./parts/list.ts";
import { lookup, type Range, typicalRange } from "./parts/lookup.ts";
import type { Part } from "./parts/map-json.ts";
import { MapPlot } from "./parts/map-plot.ts";
import { Memo } from "./parts/memo.ts";
import { place } from "./parts/place.ts";
import { type Region, regionSentence, sides } from "./parts/region.ts";
import { cellSentence, short, weightText } from "./parts/sentences.ts";
import { isZoomed, panned, revealed, type Window, wholeMap, zoomed } from "./parts/window.ts";
import { MOST_PINS, type Pin, togglePin } from "./selection.ts";

const ZOOM = 1.5;
/** The share of the window that a key or a button pans. */
const PAN = 0.25;
/** A finger meets a cell this near to it, in pixels. */
const FINGER = 16;

const DIRECTIONS: Record<string, readonly [dx: number, dy: number, name: string, sign: string]> = {
  ArrowLeft: [-PAN, 0, "Pan left", "←"],
  ArrowRight: [PAN, 0, "Pan right", "→"],
  ArrowUp: [0, -PAN, "Pan up", "↑"],
  ArrowDown: [0, PAN, "Pan down", "↓"],
};

/**
 * `<heed-heatmap>`: the weights of one head, a row for each query and a column for each key.
 *
 *     <heed-heatmap src="trace.attn" layer="1" head="3"></heed-heatmap>
 *
 * Events: `heed-select` (layer, head, query, key and pins), `heed-state` (also palette and window), `heed-error`.
 * Colours are those of weights 0 to 1, or less where most are small; hidden keys are hatched. Every action has a button and a key. A map of more
 * cells than pixels is max-pooled, so that no hot cell is lost.
 */
export class HeedHeatmap extends HeedChart {
  static override properties = {
    window: { state: true },
    region: { state: true },
    help: { state: true },
    factor: { state: true },
  };
  /** The part in view; undefined for all of it. */
  declare window: Window | undefined;
  /** Cells whose weight is added up. */
  declare region: Region | undefined;
  declare help: boolean;
  /** So many weights a side are one dot of the picture. */
  declare factor: number;

  readonly #measure = new Memo<string>();
  readonly #range = new Memo<Range>();
  readonly #plot = new MapPlot();
  readonly #pointer = new Pointer({
    hover: (x, y) => this.#hover(x, y),
    press: (x, y, touch) => this.#press(x, y, touch),
    drag: (dx, dy) => this.#pan(-dx, -dy),
    brush: (from, to) => {
      this.region = { from: this.#cellAt(...from), to: this.#cellAt(...to) };
    },
    zoom: (factor, x, y) => this.#zoom(factor, x, y),
  });

  constructor() {
    super();
    this.help = false;
    this.factor = 1;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#plot.stop();
  }

  protected override loaded(model: Model): void {
    super.loaded(model);
    this.window = undefined;
    this.region = undefined;
  }

  get #view(): Window {
    const { T, S } = this.current;
    const { window } = this;
    const fits = window && window.x + window.width <= S && window.y + window.height <= T;
    return fits ? window : wholeMap(T, S);
  }

  /** Which weights have the first and the last colour. */
  get #colorRange(): Range {
    const { map } = this.current;
    const { head } = this.selection;
    return this.#range.get([map, head], () => typicalRange(map, head));
  }

  /** The region where one is marked, else what is in view. */
  protected override get savedPart(): Part {
    if (this.region) return sides(this.region);
    const { T, S } = this.current;
    const { x, y, width, height } = this.#view;
    const last = (start: number, length: number, cells: number) =>
      Math.min(cells, Math.ceil(start + length)) - 1;
    return { queries: [Math.floor(y), last(y, height, T)], keys: [Math.floor(x), last(x, width, S)] };
  }

  protected override view(model: Model): TemplateResult {
    const { query, key, pins } = this.selection;
    const { T, S, map } = this.current;
    const row = this.rowOf(query);
    const isPinned = pins.some((pin) => pin.query === query && pin.key === key);
    const sentence = `${cellSentence(row, query, key)}${isPinned ? ", pinned" : ""}`;
    const isClose = isZoomed(this.#view, T, S);
    const { down, move, up, cancel, wheel } = this.#pointer;
    const [, high] = this.#colorRange;
    return html`<figure aria-labelledby="title">
      ${this.caption("Attention weights")}
      <p id="how" class="muted">Each row is a query, each column a key. Arrow keys move, Enter pins, ? lists all keys.</p>
      <div class="bar">
        ${this.choices(model)}
        ${this.button("Zoom in", () => this.#zoom(ZOOM), { sign: "+" })}
        ${this.button("Zoom out", () => this.#zoom(1 / ZOOM), { sign: "−", off: !isClose })}
        ${this.button("Whole map", () => this.#show(undefined), { off: !isClose })}
        ${
          isClose
            ? Object.values(DIRECTIONS).map(([dx, dy, name, sign]) =>
                this.button(name, () => this.#pan(dx, dy), { sign }),
              )
            : nothing
        }
      </div>
      <div class=${isClose ? "chart zoomed" : "chart"}>
        <canvas class="map" aria-hidden="true"></canvas>
        <div class="plot" @pointerdown=${down} @pointermove=${move} @pointerup=${up} @pointercancel=${cancel}
          @wheel=${wheel} @mousedown=${keepFocus}>
          ${this.grid(sentence)}
          <div class="region" ?hidden=${!this.region}></div>
        </div>
      </div>
      ${legendTemplate(this.#legend(), this.scale === "log" ? [LOG_FLOOR * high, high] : [0, high], hasMask(map.maskSpec, row.cells))}
      <div class="readout"><p>${sentence}.</p><p>${this.summary()}</p>${this.#regionText()}</div>
      ${this.#pinList(pins)}
      <div class="bar">
        ${this.button("Strongest key", () => this.toStrongestKey())}
        ${this.button("Strongest query", () => this.toStrongestQuery())}
        ${this.swapButton()}
        ${this.button(isPinned ? "Unpin" : "Pin", () => this.#pin())}
        ${this.button("Region", () => this.#brush(), { pressed: this.region !== undefined })}
        <label>Find <input type="search" size="8" placeholder="a token" @keydown=${this.#onFind} /></label>
        ${this.lastButtons()}
        ${listTemplate("Palette", PALETTES, PALETTES.indexOf(this.colors), (n) => this.#recolor(n))}
        ${this.scaleList()}
      </div>
      ${helpTemplate(this.help, (open) => {
        this.help = open;
      })}
      ${this.foot()}
    </figure>`;
  }

  /** What the colours are, where they end before 1, and what a dot is. */
  #legend(): string {
    const [, high] = this.#colorRange;
    const { colors, scale, factor } = this;
    const end = high < 1 ? `, ${formatNumber(high)} or more` : "";
    const dot = factor > 1 ? `; a dot is the largest of ${factor} × ${factor}` : "";
    return `weight${end}, ${colors}${scale === "linear" ? "" : `, ${scale} scale`}${dot}`;
  }

  #regionText(): TemplateResult | typeof nothing {
    const { region } = this;
    if (!region) return nothing;
    return html`<p>${
      region.to
        ? `Region of ${this.#measured(region)}.`
        : `Region from query ${region.from.query}, key ${region.from.key}: go to its other corner, then Enter.`
    }</p>`;
  }

  /** What is said of a region, kept, since a large one takes a while. */
  #measured(region: Region): string {
    const { current } = this;
    const { head } = this.selection;
    return this.#measure.get([current, head, region], () => regionSentence(current, head, region));
  }

  /** Begins a region at the cursor, ends it there, or takes it away. */
  #brush(): void {
    const { region } = this;
    const { query, key } = this.selection;
    if (!region) this.region = { from: { query, key } };
    else this.region = region.to ? undefined : { ...region, to: { query, key } };
    const { region: now } = this;
    if (!now) this.said = "no region";
    else this.said = now.to ? this.#measured(now) : "region begins";
  }

  readonly #onFind = (event: KeyboardEvent): void => {
    const field = event.target as HTMLInputElement;
    if (event.key !== "Enter" || field.value === "") return;
    const { query, key } = this.selection;
    const { rowTokens, columnTokens } = this.current;
    const column = nextToken(columnTokens, field.value, key);
    const row = column < 0 ? nextToken(rowTokens, field.value, query) : query;
    if (row < 0) this.said = `no token has “${short(field.value)}”`;
    else {
      this.move({ row, column: column < 0 ? key : column });
      this.said = cellSentence(this.rowOf(row), row, this.selection.key);
    }
  };

  #pinList(pins: readonly Pin[]): TemplateResult | typeof nothing {
    if (pins.length === 0) return nothing;
    const { map, rowTokens, columnTokens } = this.current;
    const { head } = this.selection;
    const text = ({ query, key }: Pin) => {
      const { values, kinds } = map.row(head, query);
      const weight = kinds[key] === MASKED ? "masked" : weightText(values[key]!);
      return `${query} “${short(rowTokens[query]!)}” → ${key} “${short(columnTokens[key]!)}” ${weight}`;
    };
    return html`<div class="bar pins" role="group" aria-label="Pinned cells">Pinned: ${pins.map(
      (pin) =>
        html`<button type="button" aria-label=${`Unpin ${text(pin)}`} @click=${() => this.#pin(pin)}>${text(pin)} ✕</button>`,
    )}</div>`;
  }

  protected override draw(
    root: ShadowRoot,
    canvas: HTMLCanvasElement,
    plot: HTMLElement,
    across: number,
  ): void {
    const { map, T, S, rowTokens, columnTokens } = this.current;
    const { head, query, key, pins } = this.selection;
    const window = this.#view;
    const marked = pins.map((pin) => `${pin.query} ${pin.key}`).join();
    const { x, y, width, height } = window;
    if (this.isNew([map, head, this.width, this.colors, this.scale, marked, x, y, width, height])) {
      this.ready(false);
      const colors = this.pageColors();
      const table = lookup(this.colors);
      const input = {
        source: { map, head, reduction: "max" as const },
        table,
        range: this.#colorRange,
        scale: this.scale,
        colors,
        window,
        rowTokens,
        columnTokens,
        pins,
      };
      this.#plot.draw(canvas, across, input, () => this.ready(true));
      this.factor = this.#plot.factor;
      fillLegend(root, table, colors);
    }
    const box = this.#plot.plot;
    this.#plot.cover(plot);
    const [w, h] = [box.width / Math.min(S, width), box.height / Math.min(T, height)];
    this.cursor.update(root, (key - x) * w, (query - y) * h, w, h);
    if (!this.region) return;
    const { queries, keys } = sides({ to: { query, key }, ...this.region });
    const region = root.querySelector<HTMLElement>(".region")!;
    const [left, top] = [(keys[0] - x) * w, (queries[0] - y) * h];
    place(region, left, top, (keys[1] - keys[0] + 1) * w, (queries[1] - queries[0] + 1) * h);
  }

  protected override commands(): Record<string, () => void> {
    const zoomIn = () => this.#zoom(ZOOM);
    return {
      ...super.commands(),
      Enter: () => (this.region && !this.region.to ? this.#brush() : this.#pin()),
      Escape: () => {
        if (!this.region) return this.#unpinAll();
        this.region = undefined;
        this.said = "no region";
      },
      b: () => this.#brush(),
      x: () => this.swap(),
      "/": () => this.renderRoot.querySelector<HTMLElement>("input")!.focus(),
      "+": zoomIn,
      "=": zoomIn,
      "-": () => this.#zoom(1 / ZOOM),
      "0": () => this.#show(undefined),
      c: () => this.#recolor(PALETTES.indexOf(this.colors) + 1),
      "?": () => {
        this.help = !this.help;
      },
    };
  }

  protected override move({ row, column }: Cursor): void {
    super.move({ row, column });
    const window = revealed(this.#view, row, column);
    if (this.window && window !== this.window) this.window = window;
  }

  protected override panByKey(key: string): boolean {
    const direction = DIRECTIONS[key];
    if (direction) this.#pan(direction[0], direction[1]);
    return direction !== undefined;
  }

  #pin(pin: Pin = this.selection): void {
    const before = this.selection.pins;
    const pins = togglePin(before, pin);
    if (!pins) this.said = `${MOST_PINS} cells are pinned; unpin one first`;
    else {
      this.said = pins.length > before.length ? "pinned" : "unpinned";
      this.select({ pins });
    }
  }

  #unpinAll(): void {
    this.said = "all pins freed";
    this.select({ pins: [] });
  }

  #show(window: Window | undefined): void {
    this.window = window;
    this.sendState({ window: this.#view });
  }

  #zoom(factor: number, atX?: number, atY?: number): void {
    const { T, S } = this.current;
    const { query, key } = this.selection;
    const window = this.#view;
    const share = (start: number, length: number, cell: number) =>
      Math.max(0, Math.min(1, (cell + 0.5 - start) / length));
    const x = atX ?? share(window.x, window.width, key);
    const y = atY ?? share(window.y, window.height, query);
    const next = zoomed(window, factor, T, S, x, y);
    this.#show(isZoomed(next, T, S) ? next : undefined);
  }

  #pan(dx: number, dy: number): void {
    const { T, S } = this.current;
    const window = this.#view;
    this.#show(panned(window, dx * window.width, dy * window.height, T, S));
  }

  #cellAt(x: number, y: number): Pin {
    const window = this.#view;
    const { T, S } = this.current;
    const query = clamp(Math.floor(window.y + y * window.height), T);
    return { query, key: clamp(Math.floor(window.x + x * window.width), S) };
  }

  #hover(x: number, y: number): void {
    const { query, key } = this.#cellAt(x, y);
    const now = this.selection;
    if (query !== now.query || key !== now.key) this.select({ query, key });
  }

  /** Moves the cursor there; where it is already, pins the cell. */
  #press(x: number, y: number, touch: boolean): void {
    const to = this.#cellAt(x, y);
    const { query, key } = this.selection;
    const { width, height } = this.#plot.plot;
    const window = this.#view;
    const near = touch ? FINGER : 0;
    const across = Math.abs(to.key - key) * (width / window.width);
    const down = Math.abs(to.query - query) * (height / window.height);
    if (across <= near && down <= near) this.#pin();
    else this.move({ row: to.query, column: to.key });
    this.focusCell();
  }

  #recolor(n: number): void {
    this.palette = PALETTES[n % PALETTES.length]!;
    this.said = `palette ${this.palette}`;
    this.sendState();
  }
}

/** A press must not take the focus from the cursor. */
const keepFocus = (event: Event): void => event.preventDefault();

/** Whether the legend must explain the hatch. */
function hasMask(maskSpec: unknown, { kinds }: Cells): boolean {
  return maskSpec !== undefined || kinds.includes(MASKED);
}
