import { html, nothing, type TemplateResult } from "lit";
import { HeedElement } from "./element.ts";
import type { Model } from "./model.ts";
import { rovingStep } from "./parts/roving.ts";
import { TABS, type Tab } from "./tabs.ts";
import type { ElementState, OtherHead } from "./url-state.ts";

/** The views of the page, which have more tabs once figures come. A promise each would keep all that ever were until then. */
const connected = new Set<HeedView>();
void globalThis.customElements?.whenDefined("heed-figure").then(() => {
  for (const view of connected) view.requestUpdate();
});

/**
 * `<heed-view>`: all views that a trace has the data for, as tabs with one selection.
 *
 *     <heed-view src="trace.attn" view="heatmap" url-state="a."></heed-view>
 */
export class HeedView extends HeedElement {
  static override properties = { tab: { attribute: "view", reflect: true }, other: { attribute: false } };
  /** The view in front: heatmap, flow, grid, compare or image, and those of figures. @default "heatmap" */
  declare tab: string;
  /** Layer and head that the view `compare` has beside the selected one. @default as that chooses */
  declare other: OtherHead | undefined;
  #front: HTMLElement | undefined;

  constructor() {
    super();
    this.tab = "heatmap";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    connected.add(this);
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    connected.delete(this);
  }

  override get state(): ElementState {
    return { ...super.state, view: this.tab, other: this.other };
  }
  override set state(state: Partial<ElementState>) {
    super.state = state;
    if (state?.view !== undefined) this.tab = state.view;
    if (state?.other !== undefined) this.other = state.other;
  }

  protected override view(model: Model): TemplateResult {
    const figures = customElements.get("heed-figure") as { readonly tabs?: readonly Tab[] } | undefined;
    const tabs = [...TABS, ...(figures?.tabs ?? [])].filter(({ has }) => has(model));
    const chosen = tabs.find(({ name }) => name === this.tab) ?? tabs[0]!;
    const heading = this.heading ?? model.trace?.name;
    const onKey = (event: KeyboardEvent) => {
      const to = tabs[rovingStep(event, tabs.indexOf(chosen), tabs.length, true) ?? -1];
      if (!to) return;
      event.preventDefault();
      this.#open(to.name);
      void this.updateComplete.then(() =>
        this.renderRoot.querySelector<HTMLElement>(`#tab-${to.name}`)?.focus(),
      );
    };
    return html`${heading === undefined ? nothing : this.caption(heading)}
      <div class="bar" role="tablist" aria-label="Views of this attention" @keydown=${onKey}>${tabs.map(
        ({ name, label }) =>
          html`<button type="button" role="tab" id=${`tab-${name}`} aria-selected=${name === chosen.name}
            aria-controls="panel" tabindex=${name === chosen.name ? 0 : -1} @click=${() => this.#open(name)}>${label}</button>`,
      )}</div>
      <div id="panel" role="tabpanel" aria-labelledby=${`tab-${chosen.name}`}>${this.#panel(chosen.name, model, heading === undefined ? 0 : 1)}</div>`;
  }

  /** The element of the view in front. */
  get front(): HTMLElement | undefined {
    return this.#front;
  }

  #open(name: string): void {
    this.tab = name;
    this.sendState();
  }

  /** The element of a view, kept while the view stays in front. */
  #panel(name: string, linked: Model, deeper: number): HTMLElement {
    const { store, theme, colors: palette, scale: colorScale } = this;
    const tag = `heed-${name}`;
    if (this.#front?.localName !== tag) {
      this.#front = document.createElement(tag);
      this.#front.addEventListener("heed-state", (event) => {
        const { palette, colorScale, other = this.other } = (event as CustomEvent<ElementState>).detail;
        Object.assign(this, { palette, colorScale, other });
      });
    }
    const headingLevel = this.headingLevel + deeper;
    const { other } = this;
    return Object.assign(this.#front, { linked, store, theme, headingLevel, palette, colorScale, other });
  }
}
