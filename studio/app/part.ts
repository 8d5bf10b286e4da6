import { LitElement, type PropertyDeclarations } from "lit";
import { clamp } from "../../src/elements/element.ts";
import type { Model, ModelLayer } from "../../src/elements/model.ts";
import { type Selection, SelectionStore } from "../../src/elements/selection.ts";
import { parts } from "./styles.ts";

/** A part of the studio beside the views: it follows the same selection, and changes it. */
export abstract class StudioPart extends LitElement {
  static override properties: PropertyDeclarations = {
    model: { attribute: false },
    store: { attribute: false },
  };
  static override styles: typeof parts | (typeof parts)[] = parts;

  declare model: Model | undefined;
  declare store: SelectionStore;
  #unsubscribe: (() => void) | undefined;

  constructor() {
    super();
    this.store = new SelectionStore();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#subscribe();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unsubscribe?.();
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (changed.has("store")) this.#subscribe();
  }

  #subscribe(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = this.store.subscribe(() => this.requestUpdate());
  }

  /** The selection within what the model has, and its layer; undefined where there is none. */
  protected get place(): (Selection & { readonly shown: ModelLayer }) | undefined {
    const { value } = this.store;
    const { layers = [] } = this.model ?? {};
    const shown = layers[clamp(value.layer, layers.length)];
    if (!shown) return undefined;
    return {
      ...{ shown, byKey: value.byKey, layer: layers.indexOf(shown), head: clamp(value.head, shown.H) },
      ...{ query: clamp(value.query, shown.T), key: clamp(value.key, shown.S) },
      pins: value.pins.filter(({ query, key }) => query < shown.T && key < shown.S),
    };
  }

  /** What a reader did here: for all views, and for the address. */
  protected select(part: Partial<Selection>, type: "heed-select" | "heed-state" = "heed-select"): void {
    this.store.set(part);
    const { value: detail } = this.store;
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }
}
