import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import type { Cells } from "../inspect/cells.ts";
import { clamp, HeedElement } from "./element.ts";
import type { Model } from "./model.ts";
import { GridCursor } from "./parts/cursor.ts";
import { type Cursor, type Field, movedCursor } from "./parts/keys.ts";
import { type MapJson, MOST_JSON_CELLS, mapJson, type Part } from "./parts/map-json.ts";
import { isSame, Memo } from "./parts/memo.ts";
import { shares } from "./parts/place.ts";
import { download, pngOf } from "./parts/save.ts";
import {
  BY_KEY,
  BY_QUERY,
  type Line,
  lineSentence,
  short,
  strongest,
  weightText,
} from "./parts/sentences.ts";
import { PAGE, tableTemplate } from "./parts/table.ts";
import type { Selection } from "./selection.ts";

/** An element with a picture that is as wide as its place, a cursor in it, and a table that says the same. */
export abstract class HeedChart extends HeedElement {
  static override properties: PropertyDeclarations = {
    width: { state: true },
    page: { state: true },
    said: { state: true },
  };
  /** Of the picture, in pixels; 0 until it is laid out. */
  declare width: number;
  /** The page of the table in view; undefined where the table is closed. */
  declare page: number | undefined;
  /** What the live region says: what happened that the focused cell does not tell. */
  declare said: string;

  protected readonly cursor = new GridCursor();
  #observer: ResizeObserver | undefined;
  readonly #row = new Memo<Cells>();
  readonly #column = new Memo<Cells>();
  #drawn: readonly unknown[] = [];

  constructor() {
    super();
    this.width = 0;
    this.said = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // In the next frame: what is drawn is higher, which would resize the element in this one.
    this.#observer = new ResizeObserver(([entry]) =>
      requestAnimationFrame(() => {
        if (this.isConnected) this.width = Math.floor(entry!.contentRect.width);
      }),
    );
    this.#observer.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#observer?.disconnect();
    this.#drawn = [];
    // Outside a page there is no room to draw in; back in one, the observer tells how much there is.
    this.width = 0;
  }

  protected override loaded(_model: Model): void {
    this.page = undefined;
  }

  protected override restyled(): void {
    this.#drawn = [];
    super.restyled();
  }

  /** Draws what has changed; an error becomes the element's failure. */
  protected override updated(): void {
    if (!this.model || this.failure !== undefined || this.width === 0) return;
    const root = this.renderRoot as ShadowRoot;
    const canvas = root.querySelector<HTMLCanvasElement>("canvas.map");
    if (!canvas) return;
    try {
      const plot = root.querySelector<HTMLElement>(".plot")!;
      this.draw(root, canvas, plot, canvas.parentElement!.clientWidth);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Draws on the first canvas, as wide as its place; `plot` lies over the cells. */
  protected abstract draw(
    root: ShadowRoot,
    canvas: HTMLCanvasElement,
    plot: HTMLElement,
    width: number,
  ): void;

  /** Whether any of these differs from the last time, that is, whether there is something to paint. */
  protected isNew(wanted: readonly unknown[]): boolean {
    const all = [...wanted, this.theme, globalThis.devicePixelRatio];
    const isNew = !isSame(all, this.#drawn);
    this.#drawn = all;
    return isNew;
  }

  /** The weights of a query, kept for the next question about the same one. */
  protected rowOf(query: number): Line {
    const { map, rowTokens, columnTokens } = this.current;
    const { head } = this.selection;
    const cells = this.#row.get([map, head, query], () => map.row(head, query));
    return { token: rowTokens[query]!, others: columnTokens, cells };
  }

  /** The weights that a key gets, kept likewise. */
  protected columnOf(key: number): Line {
    const { map, rowTokens, columnTokens } = this.current;
    const { head } = this.selection;
    const cells = this.#column.get([map, head, key], () => map.column(head, key));
    return { token: columnTokens[key]!, others: rowTokens, cells };
  }

  /** What the selected query attends to, or who attends to the selected key. */
  protected summary(): string {
    const { query, key, byKey } = this.selection;
    return byKey ? lineSentence(this.columnOf(key), BY_KEY) : lineSentence(this.rowOf(query));
  }

  /** Moves the cursor to the cell that was clicked, of an element that covers the field. */
  protected onClick = (event: MouseEvent): void => {
    const [x, y] = shares(event)(event.clientX, event.clientY);
    const { rows, columns } = this.field;
    this.move({ row: clamp(y * rows, rows), column: clamp(x * columns, columns) });
    this.focusCell();
  };

  /** The cursor as a grid for screen readers, which says all there is to say of its cell. */
  protected grid(cellLabel: string, rowLabel = this.rowLabel): TemplateResult {
    return this.cursor.template({ ...this.field, ...this.at, rowLabel, cellLabel, onKey: this.onKey });
  }

  protected get rowLabel(): string {
    const { query } = this.selection;
    return `query ${query} ${short(this.current.rowTokens[query]!)}`;
  }

  /** The picture with what lies over its cells. */
  protected chart(over: unknown, onClick = this.onClick): TemplateResult {
    return html`<div class="chart"><canvas class="map" aria-hidden="true"></canvas>
      <div class="plot" @click=${onClick}>${over}</div></div>`;
  }

  protected focusCell(): void {
    this.cursor.cell(this.renderRoot as ShadowRoot)?.focus({ preventScroll: true });
  }

  /** Turns between reading by query and by key. */
  protected swap(): void {
    this.select({ byKey: !this.selection.byKey });
    if (this.page !== undefined) this.page = this.#pageOfCursor;
    this.said = this.summary();
  }

  protected swapButton(): TemplateResult {
    return this.button("By key", () => this.swap(), { pressed: this.selection.byKey });
  }

  /** What the cursor moves in, where it is, and how it moves. */
  protected get field(): Field {
    return { rows: this.current.T, columns: this.current.S };
  }
  protected get at(): Cursor {
    const { query, key } = this.selection;
    return { row: query, column: key };
  }
  protected move({ row, column }: Cursor): void {
    this.select({ query: row, key: column });
  }

  protected readonly onKey = (event: KeyboardEvent): void => {
    const to = movedCursor(event, this.at, this.field);
    if (to) this.move(to);
    else if (!(event.altKey && this.panByKey(event.key))) {
      const isPlain = !(event.ctrlKey || event.metaKey || event.altKey);
      const act = isPlain ? this.commands()[event.key] : undefined;
      if (!act) return;
      act();
    }
    event.preventDefault();
  };

  /** Moves the part in view by Alt and an arrow; says whether that was one. */
  protected panByKey(_key: string): boolean {
    return false;
  }

  /** What single keys do while the picture has the focus. */
  protected commands(): Record<string, () => void> {
    const { layer, head } = this.selection;
    const inHead = (h: number) => this.choose({ head: clamp(h, this.current.H) });
    const inLayer = (l: number) => this.choose({ layer: clamp(l, this.model!.layers.length) });
    return {
      m: () => this.toStrongestKey(),
      M: () => this.toStrongestQuery(),
      "[": () => inHead(head - 1),
      "]": () => inHead(head + 1),
      "{": () => inLayer(layer - 1),
      "}": () => inLayer(layer + 1),
      t: () => this.toggleTable(),
    };
  }

  protected choose(part: Partial<Selection>): void {
    this.select(part);
    const { layer, head } = this.selection;
    this.said = `${short(this.model!.layers[layer]!.name)}, head ${head}`;
  }

  protected toStrongestKey(): void {
    const { query } = this.selection;
    const [best] = strongest(this.rowOf(query).cells, 1);
    if (best !== undefined) this.move({ row: query, column: best });
  }

  protected toStrongestQuery(): void {
    const { key } = this.selection;
    const [best] = strongest(this.columnOf(key).cells, 1);
    if (best !== undefined) this.move({ row: best, column: key });
  }

  get #pageOfCursor(): number {
    return Math.floor((this.selection.byKey ? this.at.column : this.at.row) / PAGE);
  }

  protected toggleTable(): void {
    this.page = this.page === undefined ? this.#pageOfCursor : undefined;
    this.said = this.page === undefined ? "data table closed" : "data table open below";
  }

  /** A button; `pressed` makes it a switch. */
  protected button(
    label: string,
    act: () => void,
    { pressed, off = false, sign }: { pressed?: boolean; off?: boolean; sign?: string } = {},
  ): TemplateResult {
    return html`<button type="button" aria-pressed=${pressed ?? nothing} aria-label=${sign ? label : nothing}
      title=${sign ? label : nothing} ?disabled=${off} @click=${act}>${sign ?? label}</button>`;
  }

  /** The picture as it is drawn now, with its labels: a PNG. */
  async exportPng(): Promise<Blob> {
    await this.updateComplete;
    const canvases = this.renderRoot.querySelectorAll<HTMLCanvasElement>("canvas.map");
    return pngOf([...canvases], getComputedStyle(this).backgroundColor);
  }

  /** The queries and keys whose weights are saved. */
  protected get savedPart(): Part {
    const { T, S } = this.current;
    return { queries: [0, T - 1], keys: [0, S - 1] };
  }

  /** The weights in view with their tokens and the state; `heed show` reads them. Undefined before there is a model. */
  toJSON(): MapJson | undefined {
    return this.model && mapJson(this.current, this.selection.head, this.savedPart, this.state);
  }

  #saveJson(): void {
    const { queries, keys } = this.savedPart;
    const [rows, columns] = [queries, keys].map(([first, last]) => last - first + 1);
    if (rows! * columns! > MOST_JSON_CELLS)
      this.said = `not saved: ${rows} × ${columns} weights are more than a million; zoom in or draw a region first`;
    else download(new Blob([JSON.stringify(this)], { type: "application/json" }), `${this.localName}.json`);
  }

  /** What every view has at the end of its buttons. */
  protected lastButtons(): TemplateResult {
    const save = async () => download(await this.exportPng(), `${this.localName}.png`);
    return html`${this.button("Data table", () => this.toggleTable(), { pressed: this.page !== undefined })}
      ${this.button("Save PNG", () => void save())}${this.button("Save JSON", () => this.#saveJson())}`;
  }

  /** The table, where it is open, and the live region. */
  protected foot(): TemplateResult {
    return html`${this.page === undefined ? nothing : this.table(this.page)}
      <div class="sr" role="status">${this.said}</div>`;
  }

  protected readonly turn = (page: number): void => {
    this.page = page;
  };

  protected table(page: number): TemplateResult {
    const { T, S } = this.current;
    const { byKey } = this.selection;
    const [own, { nouns }] = byKey ? [BY_QUERY, BY_KEY] : [BY_KEY, BY_QUERY];
    return tableTemplate({
      caption: `The three strongest ${nouns} of each ${own.noun}`,
      head: [own.noun, "first", "second", "third"],
      rows: byKey ? S : T,
      page,
      rowOf: (n) => {
        const { token, others, cells } = byKey ? this.columnOf(n) : this.rowOf(n);
        const best = strongest(cells, 3).map(
          (at) => `${short(others[at]!)} ${weightText(cells.values[at]!)}`,
        );
        return [`${n} ${short(token)}`, ...["–", "–", "–"].map((none, at) => best[at] ?? none)];
      },
      turn: this.turn,
    });
  }
}
