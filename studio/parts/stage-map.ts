import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { colorAt, hex, type Rgb, textOn } from "../../src/viz/color.ts";

export type MapColors = "weights" | "signed" | "image";

/** A cell of a map; what another map shares with it is a row, a column, or both. */
export interface Place {
  readonly row: number;
  readonly column: number;
}

const MOST_COLUMNS = 12;
/** The side of a pixel of an image, where there is room for it. */
const PIXEL = 14;

/**
 * `<stage-map>`: a small table of numbers as coloured cells. −∞ is hatched and reads "hidden". Arrows move the cursor; wherever
 * it goes, `place` tells. Images, and maps of more columns than can be read, are drawn as pixels.
 */
export class StageMap extends LitElement {
  static override properties = {
    values: { attribute: false },
    colors: {},
    name: {},
    rowNames: { attribute: false },
    columnNames: { attribute: false },
    row: { type: Number },
    column: { type: Number },
  };
  static override styles = css`
    :host { display: block; max-inline-size: 100%; overflow-x: auto; padding: 3px; }
    table { border-collapse: separate; border-spacing: 1px; font-size: 12px; font-variant-numeric: tabular-nums; }
    th { font-weight: 400; color: var(--heed-muted); padding: 0 4px; text-align: end; }
    thead th { text-align: center; }
    th.on { color: var(--heed-text); font-weight: 700; text-decoration: underline; }
    td { box-sizing: border-box; min-inline-size: 36px; block-size: 28px; text-align: center; white-space: nowrap; padding: 0 1px; cursor: pointer; border-radius: 2px; forced-color-adjust: none; }
    td.hidden { background: repeating-linear-gradient(45deg, #8a8a8a 0 3px, #c9c9c9 3px 7px); }
    td.in { outline: 2px solid var(--heed-focus); outline-offset: -1px; }
    td.in.at { outline: 3px solid var(--heed-text); }
    td.corner { cursor: default; min-inline-size: 0; padding: 0; }
    td:focus-visible { outline: 3px solid var(--heed-focus); outline-offset: 1px; }
    canvas { display: block; max-inline-size: 100%; image-rendering: pixelated; border: 1px solid var(--heed-line); forced-color-adjust: none; }
  `;

  declare values: readonly (readonly number[])[];
  declare colors: MapColors;
  declare name: string;
  declare rowNames: readonly string[];
  declare columnNames: readonly string[];
  /** The row and the column that the cursor is in; −1 for none. */
  declare row: number;
  declare column: number;
  /** The cell that Tab reaches. */
  #stop: Place = { row: 0, column: 0 };

  constructor() {
    super();
    this.values = [];
    this.colors = "signed";
    this.name = "";
    this.rowNames = [];
    this.columnNames = [];
    this.row = -1;
    this.column = -1;
  }

  get #isImage(): boolean {
    return this.colors === "image" || (this.values[0]?.length ?? 0) > MOST_COLUMNS;
  }

  override render(): TemplateResult {
    return this.#isImage ? this.#pixels() : this.#table();
  }

  /** An image says of itself how large it is, and what its numbers are. */
  #pixels(): TemplateResult {
    const all = this.values.flat();
    const [rows, columns] = [this.values.length, this.values[0]?.length ?? 0];
    const range = `${formatted(Math.min(...all))} to ${formatted(Math.max(...all))}`;
    return html`<canvas role="img" width=${columns} height=${rows} .style=${`inline-size:${PIXEL * columns}px`}
      aria-label=${`${this.name}: ${rows} rows of ${columns} pixels, from ${range}`}></canvas>`;
  }

  protected override updated(): void {
    const canvas = this.renderRoot.querySelector("canvas");
    const context = this.#isImage ? canvas?.getContext("2d") : undefined;
    if (!canvas || !context) return;
    const image = context.createImageData(canvas.width, canvas.height);
    for (const [n, value] of this.values.flat().entries())
      image.data.set([...this.#color(value), 255], 4 * n);
    context.putImageData(image, 0, 0);
  }

  #table(): TemplateResult {
    const { values, rowNames, columnNames } = this;
    const last = { row: values.length - 1, column: (values[0]?.length ?? 1) - 1 };
    this.#stop = {
      row: Math.min(this.#stop.row, last.row),
      column: Math.min(this.#stop.column, last.column),
    };
    const corner = rowNames.length > 0 ? html`<td role="presentation" class="corner"></td>` : nothing;
    return html`<table role="grid" aria-label=${this.name} @keydown=${this.#onKey}
        @focusin=${this.#onFocus} @click=${this.#onFocus} @pointerover=${this.#onFocus}>
      ${
        columnNames.length === 0
          ? nothing
          : html`<thead><tr>${corner}${columnNames.map(
              (column, c) => html`<th scope="col" class=${c === this.column ? "on" : ""}>${column}</th>`,
            )}</tr></thead>`
      }
      <tbody>${values.map(
        (row, r) =>
          html`<tr>${
            rowNames.length === 0
              ? nothing
              : html`<th scope="row" class=${r === this.row ? "on" : ""}>${rowNames[r]}</th>`
          }${row.map((value, c) => this.#cell(value, { row: r, column: c }))}</tr>`,
      )}</tbody></table>`;
  }

  #cell(value: number, { row, column }: Place): TemplateResult {
    const isHidden = value === Number.NEGATIVE_INFINITY;
    const isIn = row === this.row || column === this.column;
    const isAt = row === this.row && column === this.column;
    const shown = isHidden ? "hidden" : formatted(value);
    const stop = row === this.#stop.row && column === this.#stop.column ? 0 : -1;
    const names = [this.rowNames[row] ?? `row ${row}`, this.columnNames[column] ?? `column ${column}`];
    const background = isHidden ? undefined : this.#color(value);
    const style = background ? `background:${hex(background)};color:${hex(textOn(background))}` : "";
    return html`<td role="gridcell" tabindex=${stop} data-row=${row} data-column=${column} .style=${style}
      class=${[isHidden ? "hidden" : "", isIn || isAt ? "in" : "", isAt ? "at" : ""].join(" ")}
      aria-label=${`${names.join(", ")}: ${shown}`}>${isHidden ? nothing : shown}</td>`;
  }

  #color(value: number): Rgb {
    if (!Number.isFinite(value)) return colorAt("grey", 0.5);
    if (this.colors === "weights") return colorAt("viridis", value);
    const largest = Math.max(...this.values.flat().filter(Number.isFinite).map(Math.abs), 1e-9);
    if (this.colors === "image")
      return colorAt("grey", Math.max(0, Math.min(1, value / Math.max(largest, 1))));
    return colorAt("PuOr", 0.5 - value / (2 * largest));
  }

  readonly #onFocus = (event: Event): void => {
    const target = event.target as HTMLElement;
    const { row, column } = target.dataset;
    if (row === undefined || column === undefined) return;
    this.#send({ row: Number(row), column: Number(column) });
    if (event.type !== "pointerover") this.#stop = { row: Number(row), column: Number(column) };
  };

  #send(place: Place): void {
    this.dispatchEvent(new CustomEvent<Place>("place", { detail: place, bubbles: true, composed: true }));
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    const { row, column } = this.#stop;
    const rows = this.values.length;
    const columns = this.values[0]?.length ?? 0;
    const moves: Record<string, readonly [number, number]> = {
      ArrowUp: [Math.max(0, row - 1), column],
      ArrowDown: [Math.min(rows - 1, row + 1), column],
      ArrowLeft: [row, Math.max(0, column - 1)],
      ArrowRight: [row, Math.min(columns - 1, column + 1)],
      Home: [row, 0],
      End: [row, columns - 1],
    };
    const to = moves[event.key];
    if (!to) return;
    event.preventDefault();
    this.renderRoot.querySelector<HTMLElement>(`td[data-row="${to[0]}"][data-column="${to[1]}"]`)?.focus();
  };
}

/** Two decimals, fewer where the number is large. */
export function formatted(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "∞";
  const text = Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
  return (/^-0\.?0*$/.test(text) ? text.slice(1) : text).replace("-", "−");
}

customElements.define("stage-map", StageMap);

declare global {
  interface HTMLElementTagNameMap {
    "stage-map": StageMap;
  }
}
