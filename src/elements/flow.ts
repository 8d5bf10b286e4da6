import { html, type TemplateResult } from "lit";
import { chooseEdges } from "../viz/flow/edges.ts";
import type { Colors } from "../viz/svg/theme.ts";
import { visible } from "../viz/text.ts";
import { HeedChart } from "./chart.ts";
import { clamp } from "./element.ts";
import type { Model } from "./model.ts";
import { fitted } from "./parts/labels.ts";
import { place, sized } from "./parts/place.ts";
import { cellSentence } from "./parts/sentences.ts";

/** Tokens of a side that are drawn at once; of longer ones, those around the cursor. */
const MOST_TOKENS = 48;
const MOST_EDGES = 2000;
const PITCH = 22;
const TOP = 28;
const FONT = 13;
const RADIUS = 4;
const THICKEST = 6;

/** A part of a token axis. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * `<heed-flow>`: inputs on the left, outputs on the right, a line for each weight that matters.
 *
 * Of each output the strongest lines are drawn until they hold `mass` of its weight, at most 2,000 in all; the
 * read-out says how many of how many. The lines of the selected output are dark, its strongest the thickest. By key it
 * is the same of each input.
 * Events: `heed-select`, `heed-state`, `heed-error`.
 */
export class HeedFlow extends HeedChart {
  static override properties = { mass: { type: Number } };
  /** The share of each output's weight that its lines hold. @default 0.7 */
  declare mass: number;

  #note = "";

  constructor() {
    super();
    this.mass = 0.7;
  }

  get #rows(): Span {
    return spanOf(this.selection.query, this.current.T);
  }
  get #columns(): Span {
    return spanOf(this.selection.key, this.current.S);
  }

  protected override view(model: Model): TemplateResult {
    const { query, key } = this.selection;
    const row = this.rowOf(query);
    const sentence = cellSentence(row, query, key);
    const percent = Math.round(100 * this.mass);
    this.#note = this.#describe();
    return html`<figure aria-labelledby="title">
      ${this.caption("Attention flow")}
      <p id="how" class="muted">Keys on the left, queries on the right; thicker is more weight. Up and down choose a query, left and right a key, m the strongest; x reads by key.</p>
      <div class="bar">${this.choices(model)}
        <label>Share of weight drawn <input type="range" min="5" max="100" step="5" .value=${String(percent)}
          aria-valuetext=${`${percent} %`} @input=${(event: Event) => {
            this.mass = Number((event.target as HTMLInputElement).value) / 100;
          }}> ${percent}\u00a0%</label></div>
      ${this.chart(this.grid(sentence))}
      <div class="readout"><p>${sentence}.</p><p>${this.summary()}</p></div>
      <p class="muted">${this.#note}</p>
      <div class="bar">${this.button("Strongest key", () => this.toStrongestKey())}
        ${this.swapButton()}${this.lastButtons()}</div>
      ${this.foot()}
    </figure>`;
  }

  /** The lines, chosen for each query, or for each key where the reader looks by key. */
  #edges() {
    const { map, S } = this.current;
    const { head, byKey } = this.selection;
    const [rows, columns] = [this.#rows, this.#columns];
    const cells = map.rows(head, rows.from, rows.to);
    const [height, width] = [rows.to - rows.from, columns.to - columns.from];
    const values = new Float64Array(height * width);
    const kinds = new Uint8Array(height * width);
    for (let t = 0; t < height; t++)
      for (let s = 0; s < width; s++) {
        const [from, to] = [t * S + columns.from + s, byKey ? s * height + t : t * width + s];
        values[to] = cells.values[from]!;
        kinds[to] = cells.kinds[from]!;
      }
    const sides = byKey ? { rows: width, columns: height } : { rows: height, columns: width };
    const chosen = chooseEdges({ ...sides, values, kinds }, { mass: this.mass }, MOST_EDGES);
    if (!byKey) return chosen;
    return { ...chosen, edges: chosen.edges.map(({ t, s, weight }) => ({ t: s, s: t, weight })) };
  }

  protected override commands(): Record<string, () => void> {
    return { ...super.commands(), x: () => this.swap() };
  }

  #describe(): string {
    const { edges, all, mass } = this.#edges();
    const { T, S } = this.current;
    const [rows, columns] = [this.#rows, this.#columns];
    const part =
      T > MOST_TOKENS || S > MOST_TOKENS
        ? ` Of ${T} queries and ${S} keys, queries ${rows.from} to ${rows.to - 1} and keys ${columns.from} to ${columns.to - 1} are drawn.`
        : "";
    return `${edges.length} of ${all} lines, ${Math.round(100 * mass)} % of the weight.${part}`;
  }

  protected override onClick = (event: MouseEvent): void => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const n = Math.floor((event.clientY - box.top - TOP) / PITCH);
    const isQuery = event.clientX - box.left > box.width / 2;
    const { from, to } = isQuery ? this.#rows : this.#columns;
    const at = from + clamp(n, to - from);
    this.select(isQuery ? { query: at } : { key: at });
    this.focusCell();
  };

  protected override draw(
    root: ShadowRoot,
    canvas: HTMLCanvasElement,
    plot: HTMLElement,
    width: number,
  ): void {
    const { map } = this.current;
    const { head, query, key, byKey } = this.selection;
    const [rows, columns] = [this.#rows, this.#columns];
    const height = TOP + PITCH * Math.max(rows.to - rows.from, columns.to - columns.from) + 4;
    if (this.isNew([map, head, this.width, query, key, byKey, this.mass])) {
      const context = sized(canvas, width, height);
      context.font = `${FONT}px ${getComputedStyle(canvas).fontFamily}`;
      this.#paint(context, width, this.pageColors());
      this.ready(true);
    }
    place(plot, 0, 0, width, height);
    const label = labelWidth(width);
    const top = TOP + (byKey ? key - columns.from : query - rows.from) * PITCH;
    const left = byKey ? 4 : width - label + RADIUS + 4;
    this.cursor.update(root, left, top + 1, label - RADIUS - 8, PITCH - 2);
  }

  #paint(context: CanvasRenderingContext2D, width: number, colors: Colors): void {
    const { rowTokens, columnTokens } = this.current;
    const { query, key, byKey } = this.selection;
    const [rows, columns] = [this.#rows, this.#columns];
    const label = labelWidth(width);
    const [left, right] = [label, width - label];
    const middle = (n: number) => TOP + (n + 0.5) * PITCH;
    const { edges } = this.#edges();
    context.lineCap = "round";
    for (const isDark of [false, true])
      for (const { t, s, weight } of edges) {
        if ((byKey ? s + columns.from === key : t + rows.from === query) !== isDark) continue;
        const strength = Math.min(1, Math.max(0, weight));
        context.strokeStyle = colors.edge;
        context.globalAlpha = isDark ? 0.35 + 0.65 * strength : 0.06 + 0.3 * strength;
        context.lineWidth = Math.max(0.75, THICKEST * strength);
        const [from, to] = [middle(s), middle(t)];
        const bend = (left + right) / 2;
        context.beginPath();
        context.moveTo(left + RADIUS, from);
        context.bezierCurveTo(bend, from, bend, to, right - RADIUS, to);
        context.stroke();
      }
    context.globalAlpha = 1;
    context.textBaseline = "middle";
    const side = (
      x: number,
      align: CanvasTextAlign,
      tokens: readonly string[],
      span: Span,
      chosen: number,
    ) => {
      context.textAlign = align;
      for (let at = span.from; at < span.to; at++) {
        const y = middle(at - span.from);
        context.fillStyle = colors.text;
        const text = fitted(context, visible(tokens[at]!.slice(0, 80)), label - 18);
        context.fillText(text, x + (align === "right" ? -10 : 10), y);
        context.beginPath();
        context.arc(x, y, at === chosen ? RADIUS + 2 : RADIUS, 0, 7);
        context.fillStyle = at === chosen ? colors.text : colors.line;
        context.fill();
      }
    };
    side(left, "right", columnTokens, columns, key);
    side(right, "left", rowTokens, rows, query);
    context.fillStyle = colors.text;
    context.textAlign = "right";
    context.fillText("keys (input)", left + RADIUS, 12, label);
    context.textAlign = "left";
    context.fillText("queries (output)", right - RADIUS, 12, label);
  }
}

/** The tokens around one, in whole pages so that the picture does not slide with every step. */
function spanOf(at: number, length: number): Span {
  if (length <= MOST_TOKENS) return { from: 0, to: length };
  const half = MOST_TOKENS / 2;
  const from = Math.max(0, Math.min(length - MOST_TOKENS, Math.floor(at / half) * half - half / 2));
  return { from, to: from + MOST_TOKENS };
}

const labelWidth = (width: number): number => Math.min(150, Math.round(0.32 * width));
