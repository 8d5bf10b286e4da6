import { css, html, LitElement, type TemplateResult } from "lit";
import { colorAt, hex } from "../../src/viz/color.ts";

/**
 * `<number-grid>`: a few rows of numbers to write into. One cell is in the tab order; arrows move from there, as in a
 * spreadsheet, Page Up and Page Down change the number. `change-cell` tells row, column and value.
 */
export class NumberGrid extends LitElement {
  static override properties = {
    values: { attribute: false },
    name: {},
    rowNames: { attribute: false },
    row: { type: Number },
    lit: { type: Boolean },
  };
  static override styles = css`
    :host { display: block; max-inline-size: 100%; overflow-x: auto; padding: 3px; border-radius: 6px; }
    :host([lit]) { background: light-dark(#fff3cd, #3d3300); }
    table { border-collapse: separate; border-spacing: 1px; font-size: 12px; font-variant-numeric: tabular-nums; }
    caption { text-align: start; font-size: 14px; padding-block-end: 0.2rem; }
    th { font-weight: 400; color: var(--heed-muted); padding: 0 4px; }
    th.on { color: var(--heed-text); font-weight: 700; text-decoration: underline; }
    td { padding: 0; }
    input { inline-size: 44px; block-size: 28px; font: inherit; text-align: end; padding: 0 4px; color: var(--heed-text);
      background: var(--heed-background); border: 1px solid var(--heed-line); border-radius: 3px; border-block-end: 4px solid var(--tint); }
    input:focus-visible { outline: 3px solid var(--heed-focus); outline-offset: 0; }
    input[aria-invalid="true"] { border-color: var(--heed-alert); }
  `;

  declare values: readonly (readonly number[])[];
  declare name: string;
  declare rowNames: readonly string[];
  /** The row that the cursor is in; −1 for none. */
  declare row: number;
  declare lit: boolean;
  #stop = [0, 0];

  constructor() {
    super();
    this.values = [];
    this.name = "";
    this.rowNames = [];
    this.row = -1;
    this.lit = false;
  }

  override render(): TemplateResult {
    const { values, name } = this;
    const last = [values.length - 1, (values[0]?.length ?? 1) - 1];
    this.#stop = this.#stop.map((at, axis) => Math.min(at, last[axis]!));
    const largest = Math.max(...values.flat().map(Math.abs), 1e-9);
    return html`<table @keydown=${this.#onKey} @focusin=${this.#onFocus}><caption><slot></slot></caption>
      <tbody>${values.map(
        (row, r) =>
          html`<tr><th scope="row" class=${r === this.row ? "on" : ""}>${this.rowNames[r] ?? r}</th>${row.map(
            (
              value,
              c,
            ) => html`<td><input type="text" inputmode="decimal" autocomplete="off" data-row=${r} data-column=${c}
            tabindex=${r === this.#stop[0] && c === this.#stop[1] ? 0 : -1} aria-label=${`${name}, row ${r}, column ${c}`}
            .style=${`--tint:${hex(colorAt("PuOr", 0.5 - value / (2 * largest)))}`}
            .value=${String(value)} @change=${this.#onChange}></td>`,
          )}</tr>`,
      )}</tbody></table>`;
  }

  readonly #onFocus = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const [row, column] = [Number(input.dataset.row), Number(input.dataset.column)];
    this.#stop = [row, column];
    input.select();
    this.requestUpdate();
    this.dispatchEvent(new CustomEvent("place", { detail: { row, column }, bubbles: true, composed: true }));
  };

  readonly #onChange = (event: Event): void => {
    const input = event.currentTarget as HTMLInputElement;
    const text = input.value.replace(",", ".").replace("−", "-").trim();
    const value = text === "" ? Number.NaN : Number(text);
    input.setAttribute("aria-invalid", String(!Number.isFinite(value)));
    if (Number.isFinite(value)) this.#set(input, value);
  };

  #set(input: HTMLInputElement, value: number): void {
    const detail = { row: Number(input.dataset.row), column: Number(input.dataset.column), value };
    this.dispatchEvent(new CustomEvent("change-cell", { detail, bubbles: true, composed: true }));
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    const input = event.target as HTMLInputElement;
    const [row, column] = [Number(input.dataset.row), Number(input.dataset.column)];
    const turns: Record<string, number> = { PageUp: 0.1, PageDown: -0.1 };
    const turn = turns[event.key];
    if (turn !== undefined) {
      event.preventDefault();
      this.#set(input, Math.round((this.values[row]![column]! + turn) * 100) / 100);
      return;
    }
    const isWhole = input.selectionStart === 0 && input.selectionEnd === input.value.length;
    const isLeft = isWhole || (input.selectionStart === 0 && input.selectionEnd === 0);
    const isRight = isWhole || input.selectionStart === input.value.length;
    const moves: Record<string, readonly [number, number] | undefined> = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      Enter: [row + 1, column],
      ArrowLeft: isLeft ? [row, column - 1] : undefined,
      ArrowRight: isRight ? [row, column + 1] : undefined,
    };
    const to = moves[event.key];
    if (!to) return;
    event.preventDefault();
    input.blur();
    const next = this.renderRoot.querySelector<HTMLElement>(`[data-row="${to[0]}"][data-column="${to[1]}"]`);
    (next ?? input).focus();
  };
}

customElements.define("number-grid", NumberGrid);

declare global {
  interface HTMLElementTagNameMap {
    "number-grid": NumberGrid;
  }
}
