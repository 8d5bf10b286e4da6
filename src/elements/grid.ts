import { html, type TemplateResult } from "lit";
import { type HeadGlance, headGlance } from "../inspect/statistics/glance.ts";
import { HeedChart } from "./chart.ts";
import { clamp } from "./element.ts";
import { type GridLayout, gridLayout, thumbnailSteps } from "./grid/thumbnail.ts";
import type { Model, ModelLayer } from "./model.ts";
import { hatch } from "./parts/hatch.ts";
import type { Cursor, Field } from "./parts/keys.ts";
import { fillLegend, legendTemplate } from "./parts/legend.ts";
import { lookup, type Range } from "./parts/lookup.ts";
import { place, sized } from "./parts/place.ts";
import { short } from "./parts/sentences.ts";
import { tableTemplate } from "./parts/table.ts";
import { advance, TURN_MS } from "./parts/turn.ts";

const RANGE: Range = [0, 1];
/** Statistics of larger maps would make the cursor wait. */
const MOST_CELLS = 1 << 18;

/**
 * `<heed-grid>`: every head of every layer as a small map; a click or Enter chooses the layer and head of all views
 * that share its store.
 *
 * Events: `heed-state` with the chosen layer and head, `heed-error`. The table lists what each head does.
 */
export class HeedGrid extends HeedChart {
  static override properties = { focused: { state: true } };
  /** Where the cursor is; choosing is a step of its own. */
  declare focused: Cursor;

  #layout: GridLayout = { left: 0, top: 0, step: 1, cell: 1, height: 1 };
  #frame = 0;
  #thumbs = new Map<string, HTMLCanvasElement>();
  /** The thumbnail that was begun, and is not there yet. */
  #begun: { readonly key: string; readonly steps: ReturnType<typeof thumbnailSteps> } | undefined;
  #statistics = new Map<string, HeadGlance>();

  constructor() {
    super();
    this.focused = { row: 0, column: 0 };
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    cancelAnimationFrame(this.#frame);
  }

  protected override loaded(model: Model): void {
    super.loaded(model);
    this.#thumbs.clear();
    this.#begun = undefined;
    this.#statistics.clear();
    const { layer, head } = this.selection;
    this.focused = { row: layer, column: head };
  }

  protected override get field(): Field {
    const { layers } = this.model!;
    return { rows: layers.length, columns: Math.max(...layers.map(({ H }) => H)) };
  }
  protected override get at(): Cursor {
    const row = clamp(this.focused.row, this.model!.layers.length);
    return { row, column: clamp(this.focused.column, this.model!.layers[row]!.H) };
  }
  protected override move(to: Cursor): void {
    this.focused = to;
  }

  protected override commands(): Record<string, () => void> {
    const choose = () => this.#choose(this.at);
    return { Enter: choose, " ": choose, t: () => this.toggleTable() };
  }

  #choose({ row, column }: Cursor): void {
    this.focused = { row, column };
    this.choose({ layer: row, head: column });
  }

  #statisticsOf(layer: ModelLayer, row: number, head: number): HeadGlance | undefined {
    if (layer.T * layer.S > MOST_CELLS) return undefined;
    const name = `${row},${head}`;
    let found = this.#statistics.get(name);
    if (!found) {
      // Negative weights have no statistics of this kind.
      if (layer.map.rowSums === "free") return undefined;
      found = headGlance(layer.map, head);
      this.#statistics.set(name, found);
    }
    return found;
  }

  protected override view(model: Model): TemplateResult {
    const { row, column } = this.at;
    const { layer, head } = this.selection;
    const isChosen = row === layer && column === head;
    const name = `${short(model.layers[row]!.name)}, head ${column}`;
    const statistics = this.#statisticsOf(model.layers[row]!, row, column);
    const says = statistics
      ? `: entropy ${shown(statistics.entropy)}, own token ${shown(statistics.selfMass)}, previous token ${shown(statistics.previousToken)}, first token ${shown(statistics.firstToken)}`
      : "";
    const sentence = `${name}${says}${isChosen ? ", shown" : ""}`;
    return html`<figure aria-labelledby="title">
      ${this.caption("Every head of every layer")}
      <p id="how" class="muted">A row for each layer, a column for each head. Arrow keys move, Enter or a click shows a head.</p>
      ${this.chart(this.grid(sentence, short(model.layers[row]!.name)))}
      ${legendTemplate(`weight, ${this.colors}; the framed head is shown`, RANGE, true)}
      <div class="readout"><p>${sentence}.</p></div>
      <div class="bar">${this.button("Show this head", () => this.#choose(this.at))}${this.lastButtons()}</div>
      ${this.foot()}
    </figure>`;
  }

  protected override onClick = (event: MouseEvent): void => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const at = (position: number) => Math.floor(position / this.#layout.step);
    const [row, column] = [at(event.clientY - box.top), at(event.clientX - box.left)];
    const layer = this.model!.layers[row];
    if (!layer || column < 0 || column >= layer.H) return;
    this.#choose({ row, column });
    this.focusCell();
  };

  protected override table(page: number): TemplateResult {
    const heads = this.model!.layers.flatMap((layer, l) =>
      Array.from({ length: layer.H }, (_, h) => ({ layer, l, h })),
    );
    return tableTemplate({
      caption: "What each head does: means over its queries",
      head: ["head", "entropy", "largest weight", "own token", "previous token", "first token"],
      rows: heads.length,
      page: Math.min(page, Math.ceil(heads.length / 50) - 1),
      rowOf: (row) => {
        const { layer, l, h } = heads[row]!;
        const s = this.#statisticsOf(layer, l, h);
        const values = s
          ? [s.entropy, s.confidence, s.selfMass, s.previousToken, s.firstToken].map(shown)
          : new Array<string>(5).fill("–");
        return [`${short(layer.name)}, head ${h}`, ...values];
      },
      turn: this.turn,
    });
  }

  protected override draw(
    root: ShadowRoot,
    canvas: HTMLCanvasElement,
    plot: HTMLElement,
    width: number,
  ): void {
    const { layer, head } = this.selection;
    const { rows, columns } = this.field;
    if (this.isNew([this.model, this.width, this.colors, layer, head])) {
      this.ready(false);
      this.#paint(canvas, width);
      fillLegend(root, lookup(this.colors), this.pageColors());
    }
    const { left, top, step, cell } = this.#layout;
    place(plot, left, top, columns * step, rows * step);
    const { row, column } = this.at;
    this.cursor.update(root, column * step, row * step, cell, cell);
  }

  /** Works on a thumbnail until a time, and goes on with it in the next frame. */
  #makeThumb(key: string, layer: ModelLayer, head: number, until: number): HTMLCanvasElement | undefined {
    if (performance.now() >= until) return undefined;
    if (this.#begun?.key !== key)
      this.#begun = { key, steps: thumbnailSteps(layer, head, lookup(this.colors), RANGE) };
    const { done, value } = advance(this.#begun.steps, until);
    if (!done) return undefined;
    this.#begun = undefined;
    this.#thumbs.set(key, value);
    return value;
  }

  /** Paints what thumbnails there are, makes others for a moment, and goes on in the next frame. */
  #paint(canvas: HTMLCanvasElement, width: number): void {
    cancelAnimationFrame(this.#frame);
    const { layers } = this.model!;
    const { layer, head } = this.selection;
    const { columns } = this.field;
    this.#layout = gridLayout(width, layers.length, columns);
    const { left, top, step, cell, height } = this.#layout;
    const context = sized(canvas, width, height);
    const colors = this.pageColors();
    context.font = `12px ${getComputedStyle(canvas).fontFamily}`;
    context.imageSmoothingEnabled = false;
    context.textBaseline = "middle";
    const begun = performance.now();
    let isDone = true;
    const pattern = hatch(context, colors, 1);
    for (const [l, { name, H }] of layers.entries()) {
      context.fillStyle = colors.text;
      context.textAlign = "right";
      const number = columns > 0 && left < 60 ? String(l) : short(name);
      context.fillText(number, left - 6, top + l * step + cell / 2, left - 8);
      for (let h = 0; h < H; h++) {
        const [x, y] = [left + h * step, top + l * step];
        const key = `${l},${h},${this.colors}`;
        const thumb = this.#thumbs.get(key) ?? this.#makeThumb(key, layers[l]!, h, begun + TURN_MS);
        context.fillStyle = pattern;
        context.fillRect(x, y, cell, cell);
        if (thumb) context.drawImage(thumb, x, y, cell, cell);
        else isDone = false;
        const isChosen = l === layer && h === head;
        context.strokeStyle = isChosen ? colors.text : colors.line;
        context.lineWidth = isChosen ? 3 : 1;
        context.strokeRect(x, y, cell, cell);
      }
    }
    context.fillStyle = colors.text;
    context.textAlign = "center";
    const every = Math.ceil(24 / step);
    for (let h = 0; h < columns; h += every)
      context.fillText(String(h), left + h * step + cell / 2, top - 10);
    context.textAlign = "left";
    context.fillText("head →", left, 8);
    if (isDone) this.ready(true);
    else this.#frame = requestAnimationFrame(() => this.#paint(canvas, width));
  }
}

/** Two decimals; a dash where there is nothing to measure. */
const shown = (value: number): string => (Number.isFinite(value) ? value.toFixed(2) : "–");
