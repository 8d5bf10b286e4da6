import { css, html, nothing, type TemplateResult } from "lit";
import type { Model } from "../../src/elements/model.ts";
import { short } from "../../src/elements/parts/sentences.ts";
import { advance, TURN_MS } from "../../src/elements/parts/turn.ts";
import { type HeadStatistics, headStatisticsSteps } from "../../src/inspect/statistics/head.ts";
import { StudioPart } from "./part.ts";
import { parts } from "./styles.ts";

/** What heads are sorted and filtered by, with the words of the list. */
const MEASURES = [
  ["entropy", "entropy"],
  ["confidence", "largest weight"],
  ["previousToken", "previous token"],
  ["firstToken", "first token"],
  ["selfMass", "own token"],
  ["induction", "induction"],
  ["duplicate", "same token"],
  ["diagonality", "diagonality"],
  ["sparsity", "sparsity (Gini)"],
] as const satisfies readonly (readonly [keyof HeadStatistics, string])[];
type Measure = (typeof MEASURES)[number][0];

/** Measuring larger maps takes seconds. */
const MOST_CELLS = 1 << 20;

interface Measured {
  readonly layer: number;
  readonly head: number;
  readonly name: string;
  readonly statistics: HeadStatistics | undefined;
}

/** `<head-list>`: every head with a measure of it, sorted, and filtered by a least value; a click shows the head. */
export class HeadList extends StudioPart {
  static override properties = { measure: { state: true }, least: { state: true }, heads: { state: true } };
  static override styles = [
    parts,
    css`
      .scroll { max-block-size: 18rem; overflow: auto; }
      td button { background: none; border: 0; padding: 0 0.2rem; text-align: start; inline-size: 100%; }
      tr[aria-current] td { font-weight: 600; background: var(--heed-raised); }
      td.track { inline-size: 24%; }
      td.number { white-space: nowrap; }
      label { display: inline-flex; gap: 0.3rem; align-items: center; }
      input { inline-size: 4.5rem; }
    `,
  ];

  declare measure: Measure;
  declare least: number | undefined;
  declare heads: readonly Measured[];
  #turn: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.measure = "entropy";
    this.heads = [];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#turn);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.model) this.#begin(this.model);
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    super.willUpdate(changed);
    if (changed.has("model") && this.hasUpdated) this.#begin(this.model);
  }

  #begin(model: Model | undefined): void {
    clearTimeout(this.#turn);
    this.heads = [];
    if (model) this.#work(measureSteps(model));
  }

  /** Measures for a while, and goes on when the page has had its turn. */
  #work(steps: Generator<undefined, readonly Measured[], undefined>): void {
    const { done, value } = advance(steps, performance.now() + TURN_MS);
    if (done) this.heads = value;
    else this.#turn = setTimeout(() => this.#work(steps));
  }

  protected override render(): TemplateResult {
    const { place, measure, least } = this;
    const of = ({ statistics }: Measured) => statistics?.[measure] ?? Number.NaN;
    const kept = this.heads
      .filter((head) => least === undefined || of(head) >= least)
      .sort((a, b) => (of(b) - of(a) || 0) + (Number.isNaN(of(a)) ? 1 : 0) - (Number.isNaN(of(b)) ? 1 : 0));
    const onMeasure = (event: Event) => {
      this.measure = (event.target as HTMLSelectElement).value as Measure;
    };
    const onLeast = (event: Event) => {
      const { value } = event.target as HTMLInputElement;
      this.least = value === "" ? undefined : Number(value);
    };
    return html`<div class="bar">
      <label>Sort by <select @change=${onMeasure}>${MEASURES.map(
        ([name, words]) => html`<option value=${name} ?selected=${name === measure}>${words}</option>`,
      )}</select></label>
      <label>at least <input type="number" min="-1" max="1" step="0.05" @input=${onLeast}></label></div>
      ${this.heads.length === 0 ? html`<p class="muted">Measuring…</p>` : nothing}
      <div class="scroll" tabindex="0" role="group" aria-label="Heads"><table><tbody>${kept.map((one) => {
        const value = of(one);
        const isCurrent = one.layer === place?.layer && one.head === place.head;
        const select = () => this.select({ layer: one.layer, head: one.head }, "heed-state");
        return html`<tr aria-current=${isCurrent ? "true" : nothing}>
          <td><button type="button" @click=${select}>${short(one.name)}</button></td>
          <td class="number">${Number.isFinite(value) ? value.toFixed(2).replace("-", "−") : "–"}</td>
          <td class="track"><span class="weight" style=${`inline-size:${(100 * Math.max(0, Math.min(1, value || 0))).toFixed(1)}%`}></span></td></tr>`;
      })}</tbody></table></div>
      ${
        this.heads.some(({ statistics }) => statistics === undefined)
          ? html`<p class="muted">Maps of more than a million weights, and weights that are no shares, are not measured here.</p>`
          : nothing
      }
      ${this.heads.length > 0 && kept.length === 0 ? html`<p class="muted">No head has so much.</p>` : nothing}`;
  }
}

/** Measures every head, a row at a time. */
function* measureSteps(model: Model): Generator<undefined, readonly Measured[], undefined> {
  const heads: Measured[] = [];
  for (const [l, layer] of model.layers.entries()) {
    const traced = model.trace?.layers[l];
    const tokens = traced && traced.alignQ === traced.alignK ? layer.rowTokens : undefined;
    for (let head = 0; head < layer.H; head++) {
      const name = `${layer.name}, head ${head}`;
      const isMeasured = layer.T * layer.S <= MOST_CELLS && layer.map.rowSums !== "free";
      const options = tokens ? { tokens } : {};
      const statistics = isMeasured ? yield* headStatisticsSteps(layer.map, head, options) : undefined;
      heads.push({ layer: l, head, name, statistics });
    }
  }
  return heads;
}

customElements.define("head-list", HeadList);

declare global {
  interface HTMLElementTagNameMap {
    "head-list": HeadList;
  }
}
