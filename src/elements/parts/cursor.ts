import { html, nothing, type TemplateResult } from "lit";
import { place } from "./place.ts";

/** A grid of which only the active cell exists. */
export interface VirtualGrid {
  readonly rows: number;
  readonly columns: number;
  readonly row: number;
  readonly column: number;
  /** The name of the active row, and all there is to say of the active cell. */
  readonly rowLabel: string;
  readonly cellLabel: string;
  readonly onKey: (event: KeyboardEvent) => void;
}

/**
 * The cursor of a picture as a grid for screen readers. Two elements take turns as the active cell: focus moves to the
 * other one, which is what makes a screen reader speak its label.
 */
export class GridCursor {
  #place = "";
  #turn = 0;

  template({ rows, columns, row, column, rowLabel, cellLabel, onKey }: VirtualGrid): TemplateResult {
    const place = `${row},${column}`;
    if (place !== this.#place) this.#turn ^= 1;
    this.#place = place;
    const cell = (turn: number) => {
      const active = turn === this.#turn;
      return html`<div role="gridcell" class=${active ? "cell" : "sr"} aria-colindex=${column + 2}
        tabindex=${active ? "0" : "-1"} aria-hidden=${active ? nothing : "true"}
        aria-label=${active ? cellLabel : nothing}></div>`;
    };
    return html`<div role="grid" aria-labelledby="title" aria-describedby="how" aria-readonly="true"
      aria-rowcount=${rows + 1} aria-colcount=${columns + 1} @keydown=${onKey}>
      <div role="row" aria-rowindex=${row + 2}>
        <span role="rowheader" class="sr" aria-colindex="1">${rowLabel}</span>${cell(0)}${cell(1)}
      </div></div>`;
  }

  /** Puts the active cell in its place, in pixels of the plot, and gives it the focus that the other one had. */
  update(root: ShadowRoot, left: number, top: number, width: number, height: number): void {
    const cell = this.cell(root);
    if (!cell) return;
    const [w, h] = [Math.max(7, width), Math.max(7, height)];
    place(cell, left + (width - w) / 2, top + (height - h) / 2, w, h);
    const focused = root.activeElement;
    if (focused && focused !== cell && focused.getAttribute("role") === "gridcell")
      cell.focus({ preventScroll: true });
  }

  cell(root: ShadowRoot): HTMLElement | null {
    return root.querySelector<HTMLElement>('[role="gridcell"][tabindex="0"]');
  }
}
