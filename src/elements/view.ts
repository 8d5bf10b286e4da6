import { html, nothing, type TemplateResult } from "lit";
import { HeedElement } from "./element.ts";
import type { Model } from "./model.ts";
import { TABS, type Tab } from "./tabs.ts";
import type { ElementState } from "./url-state.ts";

/**
 * `<heed-view>`: all views that a trace has the data for, as tabs with one selection.
 *
 *     <heed-view src="trace.attn" view="heatmap" url-state="a."></heed-view>
 */
export class HeedView extends HeedElement {
  static override properties = { tab: { attribute: "view", reflect: true } };
  /** The view in front: heatmap, flow, grid, compare or image, and those of figures. @default "heatmap" */
  declare tab: string;
  #front: HTMLElement | undefined;

  constructor() {
    super();
    this.tab = "heatmap";
    void customElements.whenDefined("heed-figure").then(() => this.requestUpdate());
  }

  override get state(): ElementState {
    return { ...super.state, view: this.tab };
  }
  override set state(state: Partial<ElementState>) {
    super.state = state;
    if (state?.view !== undefined) this.tab = state.view;
  }

  protected override view(model: Model): TemplateResult {
    const figures = customElements.get("heed-figure") as { readonly tabs?: readonly Tab[] } | undefined;
    const tabs = [...TABS, ...(figures?.tabs ?? [])].filter(({ has }) => has(model));
    const chosen = tabs.find(({ name }) => name === this.tab) ?? tabs[0]!;
    const heading = this.heading ?? model.trace?.name;
    const onKey = (event: KeyboardEvent) => {
      const at = tabs.indexOf(chosen);
      const places: Record<string, number> = {
        ArrowRight: (at + 1) % tabs.length,
        ArrowLeft: (at + tabs.length - 1) % tabs.length,
        Home: 0,
        End: tabs.length - 1,
      };
      const to = tabs[places[event.key] ?? -1];
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
        const { palette, colorScale } = (event as CustomEvent).detail;
        Object.assign(this, { palette, colorScale });
      });
    }
    const headingLevel = this.headingLevel + deeper;
    return Object.assign(this.#front, { linked, store, theme, headingLevel, palette, colorScale });
  }
}
