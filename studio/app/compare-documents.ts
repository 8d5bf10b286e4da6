import { css, html, LitElement, type TemplateResult } from "lit";
import type { HeedCompare } from "../../src/elements/compare.ts";
import type { Model } from "../../src/elements/model.ts";
import { Memo } from "../../src/elements/parts/memo.ts";
import { SelectionStore } from "../../src/elements/selection.ts";
import type { OtherHead } from "../../src/elements/url-state.ts";
import type { Palette } from "../../src/viz/color.ts";
import { counterpart, joinedModel } from "./joined-model.ts";
import { parts } from "./styles.ts";

/**
 * `<compare-documents>`: two documents, A and B. Heads of one size stand side by side with their difference, under one
 * cursor; heads of different sizes stand side by side alone, each with its own.
 */
export class CompareDocuments extends LitElement {
  static override properties = {
    a: { attribute: false },
    b: { attribute: false },
    aName: { attribute: "a-name" },
    bName: { attribute: "b-name" },
    store: { attribute: false },
    head: { attribute: false },
    theme: { attribute: false },
    palette: { attribute: false },
  };
  static override styles = [
    parts,
    css`
      .two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 0.75rem; align-items: start; }
      heed-compare, heed-heatmap { max-inline-size: none; padding: 0; }
    `,
  ];

  declare a: Model | undefined;
  declare b: Model | undefined;
  declare aName: string;
  declare bName: string;
  declare store: SelectionStore;
  /** The head of B that a link names, counted as `other` is. @default the one that stands for A's */
  declare head: OtherHead | undefined;
  declare theme: "light" | "dark" | undefined;
  declare palette: Palette;

  readonly #joined = new Memo<Model>();
  /** Of B where it cannot be compared cell by cell. */
  readonly #ownStore = new SelectionStore();
  #unsubscribe: (() => void) | undefined;

  constructor() {
    super();
    Object.assign(this, { aName: "A", bName: "B", palette: "viridis", store: new SelectionStore() });
  }

  /** The head that stands beside A's: its layer in A and B together, or in B alone where the two are not joined. */
  get other(): OtherHead {
    const compare = this.renderRoot.querySelector<HeedCompare>("heed-compare");
    const { layer, head } = this.#ownStore.value;
    return compare?.other ?? [layer, head];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has("store") && this.#unsubscribe) return;
    this.#unsubscribe?.();
    this.#unsubscribe = this.store.subscribe(() => this.requestUpdate());
  }

  protected override render(): TemplateResult {
    const { a, b, aName, bName, theme, palette, store } = this;
    if (!a || !b) return html``;
    if (a.layers.length === 0 || b.layers.length === 0)
      return html`<p class="muted">Both documents must have a layer of attention to be compared.</p>`;
    const { layer, head } = store.value;
    const alike = counterpart(a, b, Math.min(layer, a.layers.length - 1), head);
    const names = html`<p><strong>A</strong> ${aName} · <strong>B</strong> ${bName}</p>`;
    if (alike) {
      const joined = this.#joined.get([a, b], () => joinedModel(a, b));
      return html`${names}<heed-compare .linked=${joined} .store=${store} .theme=${theme} .palette=${palette}
        heading="A, B and A − B" heading-level="2"></heed-compare>`;
    }
    const { T, S } = a.layers[Math.min(layer, a.layers.length - 1)]!;
    return html`${names}<p class="muted">No head of B has A's ${T} queries and ${S} keys, so that there is no difference to
      draw: each has a cursor of its own.</p>
      <div class="two">
        <heed-heatmap .linked=${a} .store=${store} .theme=${theme} .palette=${palette} heading="A" heading-level="2"></heed-heatmap>
        <heed-heatmap .linked=${b} .store=${this.#ownStore} .theme=${theme} .palette=${palette} heading="B" heading-level="2"></heed-heatmap>
      </div>`;
  }

  /** A new pair begins with the head that a link names, else that of B that stands for A's; then the reader chooses. */
  protected override updated(changed: Map<PropertyKey, unknown>): void {
    const compare = this.renderRoot.querySelector<HeedCompare>("heed-compare");
    if (!this.a || !this.b || !(changed.has("a") || changed.has("b") || changed.has("head"))) return;
    if (!compare) {
      if (this.head) this.#ownStore.set({ layer: this.head[0], head: this.head[1] });
      return;
    }
    const { layer, head } = this.store.value;
    const alike = this.head ?? counterpart(this.a, this.b, Math.min(layer, this.a.layers.length - 1), head);
    compare.other = alike;
  }
}

customElements.define("compare-documents", CompareDocuments);

declare global {
  interface HTMLElementTagNameMap {
    "compare-documents": CompareDocuments;
  }
}
