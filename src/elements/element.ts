import {
  type CSSResultGroup,
  html,
  LitElement,
  nothing,
  type PropertyDeclarations,
  type TemplateResult,
} from "lit";
import type { Trace, TraceInput } from "../inspect/trace/trace.ts";
import { PALETTES, type Palette } from "../viz/color.ts";
import { refuse } from "../viz/refuse.ts";
import { COLOR_SCALES, type ColorScale } from "../viz/scale.ts";
import { type Colors, DARK, LIGHT } from "../viz/svg/theme.ts";
import { visible } from "../viz/text.ts";
import {
  type Model,
  type ModelLayer,
  modelOfTrace,
  modelOfWeights,
  type Numbers,
  type TraceBytes,
} from "./model.ts";
import { listTemplate } from "./parts/list.ts";
import { type Selection, SelectionStore } from "./selection.ts";
import { styles } from "./styles.ts";
import { type ElementState, followUrl, type Stateful } from "./url-state.ts";

/**
 * What every element of heed has in common: where its numbers come from, what is selected, and what it says when
 * something is wrong. What is wrong never leaves it as an exception: it shows the message and sends `heed-error`.
 */
export abstract class HeedElement extends LitElement implements Stateful {
  static override properties: PropertyDeclarations = {
    trace: { attribute: false },
    src: {},
    weights: { attribute: false },
    rowTokens: { attribute: false },
    columnTokens: { attribute: false },
    mask: { attribute: false },
    layer: { type: Number, noAccessor: true },
    head: { type: Number, noAccessor: true },
    palette: {},
    colorScale: { attribute: "color-scale" },
    theme: { reflect: true },
    heading: {},
    headingLevel: { type: Number, attribute: "heading-level" },
    store: { attribute: false },
    linked: { attribute: false },
    urlState: { attribute: "url-state" },
    failure: { state: true },
    loading: { state: true },
  };
  static override styles: CSSResultGroup = styles;
  /** The first definition of a tag wins; this tells which version that was. */
  static readonly version: string = "0.1.0";

  /** A trace, its parts, or the bytes of a file. */
  declare trace: Trace | TraceInput | TraceBytes | undefined;
  /** Where to get a trace. */
  declare src: string | undefined;
  /** Instead of a trace: [T, S] or [H, T, S]; with `rowTokens` and `columnTokens`. */
  declare weights: Numbers | undefined;
  declare rowTokens: readonly string[] | undefined;
  declare columnTokens: readonly string[] | undefined;
  /** Goes with `weights`: true or 1 = may attend. */
  declare mask: ArrayLike<number | boolean> | undefined;
  /** @default "viridis" */
  declare palette: Palette;
  /** How colours follow weights in heat maps: one of `COLOR_SCALES` of heed/viz. @default "linear" */
  declare colorScale: ColorScale;
  /** @default what the page's color-scheme says */
  declare theme: "light" | "dark" | undefined;
  declare heading: string | undefined;
  /** Its level among the headings of the page. @default 2 */
  declare headingLevel: number;
  /** What is selected; give one store to several elements to link them. */
  declare store: SelectionStore;
  /** The model of the element around this one, which has read it already. */
  declare linked: Model | undefined;
  /** Keeps the state in the fragment of the page's address, its names beginning with this. @default not at all */
  declare urlState: string | undefined;
  declare failure: string | undefined;
  declare loading: boolean;

  protected model: Model | undefined;
  #unsubscribe: (() => void) | undefined;
  #unfollow: (() => void) | undefined;
  #fetches = 0;
  readonly #ownStore = new SelectionStore();
  #media: MediaQueryList[] = [];
  readonly #restyle = () => this.restyled();

  constructor() {
    super();
    this.palette = "viridis";
    this.colorScale = "linear";
    this.headingLevel = 2;
    this.loading = false;
    this.store = this.#ownStore;
  }

  /** The name in messages. */
  protected get op(): string {
    return this.localName;
  }

  /** Whether a trace without attention, of gates or glimpses alone, is refused. */
  protected get needsLayers(): boolean {
    return true;
  }

  get layer(): number {
    return this.selection.layer;
  }
  set layer(layer: number) {
    this.shared.set({ layer });
  }

  get head(): number {
    return this.selection.head;
  }
  set head(head: number) {
    this.shared.set({ head });
  }

  /** The store that was given; its own where that is none. */
  protected get shared(): SelectionStore {
    // A page may give anything.
    const given: Partial<SelectionStore> | undefined = this.store;
    return given?.set && given.subscribe && given.value ? this.store : this.#ownStore;
  }

  /** The selection, held within what there is. */
  get selection(): Selection {
    const { value } = this.shared;
    const { layer, head, query, key, pins, byKey } = value;
    const { layers } = this.model ?? { layers: [] };
    if (layers.length === 0) return value;
    const l = clamp(layer, layers.length);
    const { H, T, S } = layers[l]!;
    const inside = pins?.filter?.((pin) => pin?.query < T && pin.key < S) ?? [];
    return {
      layer: l,
      head: clamp(head, H),
      query: clamp(query, T),
      key: clamp(key, S),
      byKey,
      pins: inside,
    };
  }

  /** Where a reader looks and how it is shown; setting a part keeps the rest. `heed-state` tells of changes. */
  get state(): ElementState {
    return { ...this.selection, palette: this.colors, colorScale: this.scale };
  }
  set state(state: Partial<ElementState>) {
    const { palette, colorScale, view: _, other: __, ...selection } = state ?? {};
    this.shared.set(selection);
    if (palette !== undefined) this.palette = palette as Palette;
    if (colorScale !== undefined) this.colorScale = colorScale as ColorScale;
  }

  protected get current(): ModelLayer {
    return this.model!.layers[this.selection.layer]!;
  }

  /** The palette, or the default where an attribute names none that there is. */
  protected get colors(): Palette {
    return PALETTES.includes(this.palette) ? this.palette : "viridis";
  }

  /** The scale of colours, or the default likewise. */
  protected get scale(): ColorScale {
    return COLOR_SCALES.includes(this.colorScale) ? this.colorScale : "linear";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#subscribe();
    if (typeof this.urlState === "string") this.#unfollow = followUrl(this, this.urlState);
    this.#media = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) =>
      matchMedia(query),
    );
    for (const media of this.#media) media.addEventListener("change", this.#restyle);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unsubscribe?.();
    this.#unfollow?.();
    for (const media of this.#media) media.removeEventListener("change", this.#restyle);
  }

  #subscribe(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = this.shared.subscribe(() => this.requestUpdate());
  }

  /** Called when colours of the page have changed. */
  protected restyled(): void {
    this.requestUpdate();
  }

  /** The colours around the cells, by the text colour that the page gives this element. */
  protected pageColors(): Colors {
    const [r = 0, g = 0, b = 0] = (getComputedStyle(this).color.match(/[\d.]+/g) ?? []).map(Number);
    return r + g + b > 384 ? DARK : LIGHT;
  }

  /** Nothing that goes wrong in an update reaches the page; the next change tries again. */
  protected override performUpdate(): void {
    try {
      super.performUpdate();
    } catch (error) {
      if (this.failure === undefined) this.fail(error);
    }
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    // With a model it was the drawing that failed.
    if (this.model && !changed.has("failure")) this.failure = undefined;
    if (changed.has("store")) this.#subscribe();
    if (changed.has("src") && this.src) void this.#fetch(this.src);
    const data = ["linked", "trace", "weights", "rowTokens", "columnTokens", "mask"];
    if (data.some((name) => changed.has(name))) this.#load();
  }

  #load(): void {
    const { trace, weights, rowTokens, columnTokens, mask } = this;
    this.model = undefined;
    this.failure = undefined;
    try {
      if (this.linked) this.model = this.linked;
      else if (trace !== undefined) this.model = modelOfTrace(this.op, trace, this.needsLayers);
      // The three arrive one by one from a framework; nothing is wrong before all are there.
      else if (weights && rowTokens && columnTokens)
        this.model = modelOfWeights(this.op, { weights, rowTokens, columnTokens, mask });
      if (this.model) this.loaded(this.model);
    } catch (error) {
      this.model = undefined;
      this.fail(error);
    }
  }

  /** Called with each new model, before it is drawn. */
  protected loaded(_model: Model): void {}

  async #fetch(src: string): Promise<void> {
    const turn = ++this.#fetches;
    this.loading = true;
    try {
      const response = await fetch(src);
      if (!response.ok) {
        const rule = "a URL that answers with a trace";
        const got = `${response.status} ${response.statusText}`.trim();
        refuse(this.op, "src", rule, got, "correct the URL");
      }
      const bytes = await response.arrayBuffer();
      if (turn === this.#fetches) this.trace = bytes;
    } catch (error) {
      if (turn === this.#fetches) {
        this.model = undefined;
        this.fail(error);
      }
    }
    if (turn === this.#fetches) this.loading = false;
  }

  /** Marks the element with `data-ready` while all of its picture is there. */
  protected ready(isReady: boolean): void {
    this.toggleAttribute("data-ready", isReady);
  }

  /** Shows what is wrong, and sends it to the page. */
  protected fail(error: unknown): void {
    this.failure = error instanceof Error ? error.message : String(error);
    this.send("heed-error", { error, message: this.failure });
  }

  protected send(type: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  /** What a reader did: changes the selection and sends `heed-select`; `heed-state` for another layer or head. */
  protected select(part: Partial<Selection>): void {
    const before = this.selection;
    this.shared.set({ ...before, ...part });
    const now = this.selection;
    this.send("heed-select", now);
    if (now.layer !== before.layer || now.head !== before.head) this.sendState();
  }

  protected sendState(more: object = {}): void {
    this.send("heed-state", { ...this.state, ...more });
  }

  /** The view, once there is a model. */
  protected abstract view(model: Model): TemplateResult;

  protected override render(): TemplateResult {
    if (this.failure !== undefined)
      return html`<div class="failure" role="alert"><strong>This attention cannot be shown.</strong>
        <p>${visible(this.failure)}</p></div>`;
    if (this.model) return this.view(this.model);
    return html`<p class="muted">${this.loading ? "Loading attention…" : "No attention loaded."}</p>`;
  }

  protected caption(text: string): TemplateResult {
    return html`<div id="title" class="title" role="heading" aria-level=${this.headingLevel}>${this.heading ?? text}</div>`;
  }

  /** How colours follow weights, to choose. */
  protected scaleList(): TemplateResult {
    return listTemplate("Scale", COLOR_SCALES, COLOR_SCALES.indexOf(this.scale), (n) => {
      this.colorScale = COLOR_SCALES[n]!;
      this.sendState();
    });
  }

  /** Lists for layer and head, where there is a choice. */
  protected choices(model: Model, ofLayers = true, ofHeads = true): TemplateResult | typeof nothing {
    const { layer, head } = this.selection;
    const { H } = this.current;
    if (model.layers.length === 1 && H === 1) return nothing;
    const layers = model.layers.map(({ name }) => visible(name));
    const heads = Array.from({ length: H }, (_, h) => `head ${h}`);
    return html`${ofLayers && layers.length > 1 ? listTemplate("Layer", layers, layer, (l) => this.select({ layer: l })) : nothing}
      ${ofHeads && H > 1 ? listTemplate("Head", heads, head, (h) => this.select({ head: h })) : nothing}`;
  }
}

export function clamp(value: number, length: number): number {
  const whole = Number.isFinite(value) ? Math.trunc(value) : 0;
  return Math.max(0, Math.min(length - 1, whole));
}

/** Defines an element unless a copy of heed has done so already; without a DOM it does nothing. */
export function define(tag: string, element: CustomElementConstructor): void {
  const registry = globalThis.customElements;
  if (registry && !registry.get(tag)) registry.define(tag, element);
}
