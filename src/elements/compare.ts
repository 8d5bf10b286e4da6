import { html, nothing, type TemplateResult } from "lit";
import type { AttentionMap } from "../inspect/map/map.ts";
import { HeedChart } from "./chart.ts";
import { type Difference, differenceMap, type Head, largestDifference } from "./compare/difference.ts";
import type { Model } from "./model.ts";
import { fillLegend, legendTemplate } from "./parts/legend.ts";
import { listTemplate } from "./parts/list.ts";
import { lookup, type Range, typicalRange } from "./parts/lookup.ts";
import { type MapJson, mapJson } from "./parts/map-json.ts";
import { MapPlot } from "./parts/map-plot.ts";
import { Memo } from "./parts/memo.ts";
import { cellSentence, short, weightText } from "./parts/sentences.ts";
import { wholeMap } from "./parts/window.ts";
import type { ElementState, OtherHead } from "./url-state.ts";

const NAMES = ["A", "B", "A − B"] as const;

/**
 * `<heed-compare>`: two heads of the same words side by side, and their difference: purple where A is more, orange
 * where B is. A is the selected head, B the one of `other`; the cursor is the same in all three.
 * Events: `heed-select`, `heed-state`, `heed-error`.
 */
export class HeedCompare extends HeedChart {
  static override properties = { other: { attribute: false } };
  /** Layer and head of B. @default the next head of A's layer, or the next layer */
  declare other: OtherHead | undefined;

  readonly #plots = NAMES.map(() => new MapPlot());
  readonly #range = new Memo<Range>();
  readonly #difference = new Memo<{ map: AttentionMap; most?: Difference | undefined; isKnown?: boolean }>();

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const plot of this.#plots) plot.stop();
  }

  override get state(): ElementState {
    return { ...super.state, other: this.other };
  }
  override set state(state: Partial<ElementState>) {
    super.state = state;
    if (state?.other !== undefined) this.other = state.other;
  }

  /** Every head whose map is as large as that of A. */
  #choices(model: Model): { layer: number; head: number }[] {
    const { T, S } = this.current;
    return model.layers.flatMap((one, layer) =>
      one.T === T && one.S === S ? Array.from({ length: one.H }, (_, head) => ({ layer, head })) : [],
    );
  }

  #heads(model: Model): [a: Head, b: Head, index: number] {
    const { layer, head } = this.selection;
    const all = this.#choices(model);
    const [l, h] = this.other ?? [];
    const own = all.findIndex((one) => one.layer === layer && one.head === head);
    const chosen = all.findIndex((one) => one.layer === l && one.head === h);
    const index = chosen >= 0 ? chosen : (own + 1) % all.length;
    const other = all[index]!;
    return [{ layer: this.current, head }, { layer: model.layers[other.layer]!, head: other.head }, index];
  }

  /** The difference, kept until another pair is compared. */
  #compared(a: Head, b: Head) {
    return this.#difference.get([a.layer, a.head, b.layer, b.head], () => {
      const found = { map: differenceMap(a, b) };
      void largestDifference(found.map).then((most) => {
        Object.assign(found, { most, isKnown: true });
        this.requestUpdate();
      });
      return found;
    });
  }

  /** One range for both, so that they can be compared. */
  #rangeOf(...heads: readonly Head[]): Range {
    const key = heads.flatMap(({ layer, head }) => [layer, head]);
    const most = () => Math.max(...heads.map(({ layer, head }) => typicalRange(layer.map, head)[1]));
    return this.#range.get(key, () => [0, most()]);
  }

  /** A as other views save it, and B as `other`. */
  override toJSON(): (MapJson & { readonly other: MapJson }) | undefined {
    const json = super.toJSON();
    if (!json) return json;
    const [, { layer, head }] = this.#heads(this.model!);
    const state = { ...json.state, layer: this.model!.layers.indexOf(layer), head };
    return { ...json, other: mapJson(layer, head, json.selection, state) };
  }

  protected override view(model: Model): TemplateResult {
    const { query, key } = this.selection;
    const { rowTokens, columnTokens } = this.current;
    const all = this.#choices(model);
    const [a, b, index] = this.#heads(model);
    const { map, most, isKnown } = this.#compared(a, b);
    const row = this.rowOf(query);
    const other = b.layer.map.row(b.head, query);
    const change = map.row(0, query);
    const sentence = `A: ${cellSentence(row, query, key)}; B: ${other.kinds[key] === 1 ? "masked" : weightText(other.values[key]!)}${change.kinds[key] === 0 ? `; A − B: ${weightText(change.values[key]!)}` : ""}`;
    const where = most
      ? `The largest difference is ${weightText(most.most)}, of query ${most.query} “${short(rowTokens[most.query]!)}” and key ${most.key} “${short(columnTokens[most.key]!)}”.`
      : isKnown
        ? "Nothing can be compared: no key is visible in both."
        : "Comparing…";
    const names = all.map(({ layer, head }) => `${short(model.layers[layer]!.name)}, head ${head}`);
    const choose = (n: number) => {
      const { layer, head } = all[n]!;
      this.other = [layer, head];
      this.sendState();
    };
    return html`<figure aria-labelledby="title">
      ${this.caption("Two heads compared")}
      <p id="how" class="muted">A, B, and A − B: purple where A is more, orange where B is. Arrow keys move the cursor of all three.</p>
      <div class="bar"><span>A:</span>${this.choices(model)}
        ${listTemplate("B:", names, index, choose)}</div>
      <div class="panels">${NAMES.map(
        (
          name,
          n,
        ) => html`<div><div>${[`A: ${nameOf(a)}`, `B: ${nameOf(b)}`, name][n]}</div>${this.chart(n === 2 ? this.grid(sentence) : nothing)}
          ${n === 0 ? "" : html`<div class="key">${legendTemplate(n === 1 ? `A and B: weight, ${this.colors}` : "A − B", n === 1 ? this.#rangeOf(a, b) : rangeOf(most?.most), n === 1)}</div>`}</div>`,
      )}</div>
      <div class="readout"><p>${sentence}.</p><p>${where}</p></div>
      <div class="bar">
        ${this.button("Largest difference", () => most && this.move({ row: most.query, column: most.key }))}
        ${this.lastButtons()}</div>
      ${this.foot()}
    </figure>`;
  }

  protected override draw(root: ShadowRoot): void {
    const canvases = [...root.querySelectorAll<HTMLCanvasElement>("canvas.map")];
    const plots = [...root.querySelectorAll<HTMLElement>(".plot")];
    const { T, S, rowTokens, columnTokens } = this.current;
    const { query, key } = this.selection;
    const [a, b] = this.#heads(this.model!);
    const { map, most, isKnown } = this.#compared(a, b);
    const colors = this.pageColors();
    const weights = { table: lookup(this.colors), range: this.#rangeOf(a, b) };
    const sources = [
      ...[a, b].map(({ layer, head }) => ({
        source: { map: layer.map, head, reduction: "max" as const },
        ...weights,
      })),
      {
        source: { map, head: 0, reduction: "maxAbs" as const },
        table: lookup("PuOr"),
        range: rangeOf(most?.most),
      },
    ];
    if (this.isNew([map, isKnown, this.width, this.colors, query, key])) {
      this.ready(false);
      let waiting = sources.length;
      for (const [n, drawn] of sources.entries()) {
        // Its colours depend on the largest difference.
        if (n === 2 && !isKnown) break;
        const input = {
          ...drawn,
          colors,
          window: wholeMap(T, S),
          rowTokens,
          columnTokens,
          pins: n === 2 ? [] : [{ query, key }],
        };
        this.#plots[n]!.draw(canvases[n]!, canvases[n]!.parentElement!.clientWidth, input, () => {
          if (--waiting === 0) this.ready(true);
        });
      }
      for (const [n, legend] of root.querySelectorAll(".key").entries())
        fillLegend(legend, n === 0 ? lookup(this.colors) : lookup("PuOr"), colors);
    }
    for (const [n, plot] of plots.entries()) this.#plots[n]!.cover(plot);
    const box = this.#plots[2]!.plot;
    const [w, h] = [box.width / S, box.height / T];
    this.cursor.update(root, key * w, query * h, w, h);
  }
}

const nameOf = ({ layer, head }: Head): string => `${short(layer.name)}, head ${head}`;

/** Even around 0, so that the palette's middle is no difference. */
const rangeOf = (most: number | undefined): Range => (most ? [-most, most] : [-1, 1]);
