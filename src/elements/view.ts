import { html, nothing, type TemplateResult } from "lit";
import { HeedElement } from "./element.ts";
import { hasImage } from "./image.ts";
import type { Model } from "./model.ts";
import type { ElementState } from "./url-state.ts";

/** A view and whether a model has the data for it. */
interface Tab {
  readonly name: string;
  readonly label: string;
  readonly has: (model: Model) => boolean;
}

const TABS: readonly Tab[] = [
  { name: "heatmap", label: "Heat map", has: () => true },
  { name: "flow", label: "Flow", has: () => true },
  { name: "grid", label: "All heads", has: ({ layers }) => layers.length > 1 || layers[0]!.H > 1 },
  { name: "compare", label: "Compare", has: ({ layers }) => layers.length > 1 || layers[0]!.H > 1 },
  { name: "image", label: "Image", has: hasImage },
];

/** What `<heed-figure>` adds where a page has loaded it too. */
const FIGURES: readonly Tab[] = [
  { name: "heads", label: "Heads", has: ({ layers }) => layers[0]!.H > 1 },
  { name: "neuron", label: "Neurons", has: ({ trace }) => trace?.layers[0]?.q !== undefined },
  { name: "statistics", label: "Statistics", has: ({ trace }) => trace !== undefined },
  { name: "rollout", label: "Rollout", has: ({ trace }) => trace !== undefined && trace.layers.length > 1 },
  {
    name: "glimpse",
    label: "Glimpses",
    has: ({ trace }) => trace !== undefined && trace.glimpses.length > 0,
  },
  {
    name: "marginals",
    label: "Marginals",
    has: ({ trace }) => trace?.image !== undefined && trace.glimpses.some(({ shape }) => shape.length === 1),
  },
  { name: "gates", label: "Gates", has: ({ trace }) => Object.keys(trace?.gates ?? {}).length > 0 },
];

/**
 * `<heed-view>`: all views that a trace has the data for, as tabs with one selection.
 *
 *     <heed-view src="trace.attn" view="heatmap" url-state="a."></heed-view>
 */
export class HeedView extends HeedElement {
  static override properties = { tab: { attribute: "view", reflect: true } };
  /** The view in front: heatmap, flow, grid, compare or image, and those of figures. @default "heatmap" */
  declare tab: string;

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
    if (state.view !== undefined) this.tab = state.view;
  }

  protected override view(model: Model): TemplateResult {
    const all = customElements.get("heed-figure") ? [...TABS, ...FIGURES] : TABS;
    const tabs = all.filter(({ has }) => has(model));
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

  #open(name: string): void {
    this.tab = name;
    this.sendState();
  }

  #panel(name: string, model: Model, deeper: number): TemplateResult {
    const level = this.headingLevel + deeper;
    const { store, colors, scale } = this;
    const recolored = (event: CustomEvent) => {
      const { palette, colorScale } = event.detail;
      Object.assign(this, { palette, colorScale });
    };
    if (FIGURES.some((figure) => figure.name === name))
      return html`<heed-figure .linked=${model} .store=${store} .headingLevel=${level} .palette=${colors} .colorScale=${scale} .shown=${name}
        @heed-state=${recolored}></heed-figure>`;
    switch (name) {
      case "flow":
        return html`<heed-flow .linked=${model} .store=${store} .headingLevel=${level} .palette=${colors}></heed-flow>`;
      case "compare":
        return html`<heed-compare .linked=${model} .store=${store} .headingLevel=${level} .palette=${colors}></heed-compare>`;
      case "image":
        return html`<heed-image .linked=${model} .store=${store} .headingLevel=${level} .palette=${colors}></heed-image>`;
      case "grid":
        return html`<heed-grid .linked=${model} .store=${store} .headingLevel=${level} .palette=${colors}></heed-grid>`;
    }
    return html`<heed-heatmap .linked=${model} .store=${store} .headingLevel=${level} .palette=${colors} .colorScale=${scale}
      @heed-state=${recolored}></heed-heatmap>`;
  }
}
