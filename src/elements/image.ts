import { html, type TemplateResult } from "lit";
import { MASKED } from "../inspect/cells.ts";
import { keysOfGrid } from "../inspect/grid.ts";
import type { ImageGrid } from "../inspect/trace/trace.ts";
import { HeedChart } from "./chart.ts";
import { clamp } from "./element.ts";
import type { Model } from "./model.ts";
import type { Cursor, Field } from "./parts/keys.ts";
import { fillLegend, legendTemplate } from "./parts/legend.ts";
import { dots, lookup, paint, type Range } from "./parts/lookup.ts";
import { place, sized } from "./parts/place.ts";
import { Player } from "./parts/player.ts";
import { short, strongest, weightText } from "./parts/sentences.ts";
import { hasImage } from "./tabs.ts";

/** Of the map over the image, where the weight is largest. */
const OPACITY = 0.85;

/**
 * `<heed-image>`: what each word looked at in the trace's image, one word at a time.
 *
 * A patch is a square in the palette's colour, opaque as its weight grows towards the largest of all words, which the
 * legend says. Words are a list: arrows step through it. The cursor in the image tells single patches.
 * Events: `heed-select`, `heed-state`, `heed-error`.
 */
export class HeedImage extends HeedChart {
  static override properties = { picture: { state: true } };
  declare picture: ImageBitmap | undefined;

  readonly #player = new Player(this, () => {
    const { T } = this.current;
    const next = (this.selection.query + 1) % T;
    this.#say(next);
    return next < T - 1;
  });

  protected override loaded(model: Model): void {
    super.loaded(model);
    this.#player.stop();
    this.picture = undefined;
    if (!hasImage(model)) return;
    const layer = model.layers.findIndex(({ S }) => S === keysOfGrid(model.trace!.grid!));
    if (model.layers[this.selection.layer]!.S !== keysOfGrid(model.trace!.grid!)) this.shared.set({ layer });
    const blob = new Blob([model.trace!.image! as Uint8Array<ArrayBuffer>], { type: "image/png" });
    createImageBitmap(blob).then(
      (picture) => {
        if (this.model === model) this.picture = picture;
      },
      () => this.fail(new Error("heed-image: the trace's image must be a PNG that can be decoded")),
    );
  }

  get #grid(): ImageGrid {
    return this.model!.trace!.grid!;
  }

  protected override get field(): Field {
    return { rows: this.#grid.height, columns: this.#grid.width };
  }
  protected override get at(): Cursor {
    const { cls, width, height } = this.#grid;
    const patch = clamp(this.selection.key - cls, width * height);
    return { row: Math.floor(patch / width), column: patch % width };
  }
  protected override move({ row, column }: Cursor): void {
    this.select({ key: this.#grid.cls + row * this.#grid.width + column });
  }

  protected override commands(): Record<string, () => void> {
    const { query } = this.selection;
    return {
      ...super.commands(),
      ",": () => this.#say(query - 1),
      ".": () => this.#say(query + 1),
      p: this.#player.toggle,
      m: () => this.#toStrongest(),
    };
  }

  #say(query: number): void {
    this.select({ query: clamp(query, this.current.T) });
    this.said = `“${short(this.current.rowTokens[this.selection.query]!)}”`;
  }

  #toStrongest(): void {
    const { cls } = this.#grid;
    const best = strongest(this.rowOf(this.selection.query).cells, cls + 1).find((key) => key >= cls);
    if (best !== undefined) this.select({ key: best });
  }

  /** The largest weight that any word gives a patch. */
  get #most(): number {
    const { map, T } = this.current;
    const { head } = this.selection;
    let most = 0;
    for (let t = 0; t < T; t++)
      for (const weight of map.row(head, t).values.subarray(this.#grid.cls)) most = Math.max(most, weight);
    return most || 1;
  }

  #sentence(): string {
    const { query } = this.selection;
    const { row, column } = this.at;
    const { cls, width } = this.#grid;
    const { cells, token } = this.rowOf(query);
    const key = cls + row * width + column;
    const weight = cells.kinds[key] === MASKED ? "masked" : `weight ${weightText(cells.values[key]!)}`;
    return `“${short(token)}”, patch in row ${row}, column ${column}: ${weight}`;
  }

  protected override view(model: Model): TemplateResult {
    if (!hasImage(model) || this.current.S !== keysOfGrid(this.#grid))
      return html`<p class="muted">This view needs an image and its grid in the trace, and a layer whose keys are the patches.</p>`;
    const { query } = this.selection;
    const { rowTokens } = this.current;
    const onKey = (event: KeyboardEvent) => {
      const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.#say(query + step);
    };
    return html`<figure aria-labelledby="title">
      ${this.caption("What each word looked at")}
      <p id="how" class="muted">Choose a word below, or step with , and .; p plays them. Arrow keys move between patches, m to the strongest.</p>
      <div class="bar">${this.choices(model)}</div>
      ${this.chart(this.grid(this.#sentence(), `row ${this.at.row}`))}
      ${legendTemplate(`weight, ${this.colors}; the brightest of all words is ${weightText(this.#most)}`, [0, this.#most], false)}
      <div class="words" role="listbox" tabindex="0" aria-label="Words" aria-activedescendant=${`word-${query}`} @keydown=${onKey}>
        ${this.#words().map(
          (t) =>
            html`<span role="option" id=${`word-${t}`} aria-selected=${t === query} @click=${() => this.#say(t)}>${short(rowTokens[t]!)}</span> `,
        )}</div>
      <div class="readout"><p>${this.#sentence()}.</p></div>
      <div class="bar">${this.button("Previous word", () => this.#say(query - 1), { off: query === 0 })}
        ${this.button("Next word", () => this.#say(query + 1), { off: query === rowTokens.length - 1 })}
        ${this.button(this.#player.label, this.#player.toggle)}
        ${this.button("Strongest patch", () => this.#toStrongest())}${this.lastButtons()}</div>
      ${this.foot()}
    </figure>`;
  }

  /** The words in the list: of very many, those around the chosen one. */
  #words(): number[] {
    const most = 120;
    const { T } = this.current;
    const from = Math.max(0, Math.min(T - most, this.selection.query - most / 2));
    return Array.from({ length: Math.min(T, most) }, (_, n) => from + n);
  }

  protected override draw(
    root: ShadowRoot,
    canvas: HTMLCanvasElement,
    plot: HTMLElement,
    width: number,
  ): void {
    const { picture } = this;
    if (!picture) return;
    const { map } = this.current;
    const { head, query } = this.selection;
    const { rows, columns } = this.field;
    const height = Math.round((width * picture.height) / picture.width);
    if (this.isNew([map, head, query, this.width, this.colors, picture])) {
      const context = sized(canvas, width, height);
      context.imageSmoothingEnabled = false;
      context.drawImage(picture, 0, 0, width, height);
      const { values, kinds } = this.rowOf(query).cells;
      const { cls } = this.#grid;
      const cells = { rows, columns, values: values.subarray(cls), kinds: kinds.subarray(cls) };
      const range: Range = [0, this.#most];
      const pixels = paint(cells, { table: lookup(this.colors), range, notFinite: 0 });
      const bytes = new Uint8ClampedArray(pixels.buffer);
      for (let e = 0; e < pixels.length; e++)
        bytes[4 * e + 3]! *= OPACITY * Math.max(0, Math.min(1, cells.values[e]! / range[1]));
      context.drawImage(dots(pixels, columns, rows), 0, 0, width, height);
      fillLegend(root, lookup(this.colors), this.pageColors());
      this.ready(true);
    }
    place(plot, 0, 0, width, height);
    const { row, column } = this.at;
    const [w, h] = [width / columns, height / rows];
    this.cursor.update(root, column * w, row * h, w, h);
  }
}
