import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { type Cells, VALUE } from "../inspect/cells.ts";
import { clamp, HeedElement } from "./element.ts";
import type { Model } from "./model.ts";
import { GridCursor } from "./parts/cursor.ts";
import { type Cursor, type Field, movedCursor } from "./parts/keys.ts";
import { isSame, Memo } from "./parts/memo.ts";
import { download, pngOf } from "./parts/save.ts";
import { type Row, short, strongest, weightText } from "./parts/sentences.ts";
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
  #drawn: readonly unknown[] = [];

  constructor() {
    super();
    this.width = 0;
    this.said = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // Only the width is read, which nothing here writes; so no resize follows from a resize.
    this.#observer = new ResizeObserver(([entry]) => {
      this.width = Math.floor(entry!.contentRect.width);
    });
    this.#observer.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#observer?.disconnect();
    this.#drawn = [];
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
    try {
      this.draw(this.renderRoot as ShadowRoot);
    } catch (error) {
      this.fail(error);
    }
  }

  protected abstract draw(root: ShadowRoot): void;

  /** Whether any of these differs from the last time, that is, whether there is something to paint. */
  protected isNew(wanted: readonly unknown[]): boolean {
    const all = [...wanted, this.theme, globalThis.devicePixelRatio];
    const isNew = !isSame(all, this.#drawn);
    this.#drawn = all;
    return isNew;
  }

  /** The weights of a query, kept for the next question about the same one. */
  protected rowOf(query: number): Row {
    const { map, rowTokens, columnTokens } = this.current;
    const { head } = this.selection;
    const cells = this.#row.get([map, head, query], () => map.row(head, query));
    return { query, token: rowTokens[query]!, columnTokens, cells };
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
    const { head, key } = this.selection;
    const { map, T } = this.current;
    let [best, most] = [-1, -Infinity];
    for (let t = 0; t < T; t++) {
      const { values, kinds } = map.row(head, t);
      if (kinds[key] === VALUE && values[key]! > most) [best, most] = [t, values[key]!];
    }
    if (best >= 0) this.move({ row: best, column: key });
  }

  protected toggleTable(): void {
    this.page = this.page === undefined ? Math.floor(this.at.row / PAGE) : undefined;
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

  /** What every view has at the end of its buttons. */
  protected lastButtons(): TemplateResult {
    const save = async () => download(await this.exportPng(), `${this.localName}.png`);
    return html`${this.button("Data table", () => this.toggleTable(), { pressed: this.page !== undefined })}
      ${this.button("Save PNG", () => void save())}`;
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
    const { map, T, rowTokens, columnTokens } = this.current;
    const { head } = this.selection;
    return tableTemplate({
      caption: "The three strongest keys of each query",
      head: ["query", "first", "second", "third"],
      rows: T,
      page,
      rowOf: (query) => {
        const cells = map.row(head, query);
        const best = strongest(cells, 3).map(
          (s) => `${short(columnTokens[s]!)} ${weightText(cells.values[s]!)}`,
        );
        return [`${query} ${short(rowTokens[query]!)}`, ...["–", "–", "–"].map((none, n) => best[n] ?? none)];
      },
      turn: this.turn,
    });
  }
}
