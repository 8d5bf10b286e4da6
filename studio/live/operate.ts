import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { SelectionStore } from "../../src/elements/selection.ts";
import { layerMap, MASKED, readTrace, type Trace } from "../../src/inspect/index.ts";
import type { Intervention } from "../../src/intervene/intervention.ts";
import { type LiveClient, Overtaken } from "./client.ts";
import { beginning, changedTo, type History, redo, replaced, undo } from "./history.ts";
import type { EffectsOutput, OperateOutput } from "./operate-protocol.ts";
import { consequence, renormalized, said } from "./operate-text.ts";
import { answersTable, changesList, codeBlock, effectsTable } from "./operate-views.ts";
import { fieldValue } from "./panel.ts";
import { liveStyles } from "./styles.ts";

/** Keys of a row that get sliders. */
const MOST_SLIDERS = 32;
/** While the reader types, the model translates; what is changed runs anew after a pause, in milliseconds. */
const PAUSE_MS = 400;

/**
 * `<head-operations>`: knocks out heads, keys, queries and edges of a live model, drags the weights of a row, and shows what the
 * model writes and where later heads look beside the unchanged. Every change can be undone, and copied as the code that makes it.
 */
export class HeadOperations extends LitElement {
  static override properties = {
    client: { attribute: false },
    model: {},
    text: {},
    to: {},
    history: { state: true },
    output: { state: true },
    traces: { state: true },
    effects: { state: true },
    failure: { state: true },
    place: { state: true },
    busy: { state: true },
    copied: { state: true },
  };
  static override styles = [liveStyles];

  declare client: LiveClient;
  declare model: string;
  declare text: string;
  /** Of a translator: the language. */
  declare to: string | undefined;
  declare history: History<readonly Intervention[]>;
  declare output: OperateOutput | undefined;
  declare traces: { unchanged: Trace; changed: Trace } | undefined;
  declare effects: Partial<Record<"exact" | "gradient", EffectsOutput>>;
  declare failure: string | undefined;
  declare place: { layer: number; head: number; query: number; key: number };
  declare busy: boolean;
  declare copied: boolean;

  readonly #store = new SelectionStore();
  /** The changes that `output` is of: newer ones may still be on their way. */
  #shown: readonly Intervention[] = [];
  #pause: ReturnType<typeof setTimeout> | undefined;
  /** Whether the newest state is that of a slider which is still dragged. */
  #dragged: string | undefined;

  constructor() {
    super();
    this.history = beginning([]);
    this.place = { layer: 0, head: 0, query: 0, key: 0 };
    this.effects = {};
    this.busy = false;
    this.copied = false;
    this.#store.subscribe(() => {
      const { layer, head, query, key } = this.#store.value;
      const { place } = this;
      if (layer !== place.layer || head !== place.head || query !== place.query || key !== place.key)
        this.place = { layer, head, query, key };
    });
  }

  protected override updated(changed: PropertyValues): void {
    if (!["text", "to", "model"].some((name) => changed.has(name))) return;
    // Rows and tokens of another text are others.
    this.history = beginning([]);
    this.effects = {};
    clearTimeout(this.#pause);
    if (this.output) this.#pause = setTimeout(() => void this.#run(), PAUSE_MS);
    else void this.#run();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#pause);
  }

  async #run(): Promise<void> {
    this.busy = this.output === undefined;
    this.copied = false;
    try {
      const { text, to, history } = this;
      const output = await this.client.run(this.model, "operate", { text, to, interventions: history.now });
      // The last layer looks from what is written to what is read, or to the latest: the easiest to understand.
      if (!this.output) this.#go({ layer: output.layers.length - 1 });
      this.#keepPlace(output);
      this.output = output;
      this.#shown = history.now;
      this.traces = { unchanged: readTrace(output.unchanged), changed: readTrace(output.changed) };
      this.failure = undefined;
    } catch (error) {
      if (!(error instanceof Overtaken))
        this.failure = error instanceof Error ? error.message : String(error);
    }
    this.busy = false;
  }

  #apply(history: History<readonly Intervention[]>): void {
    this.#dragged = undefined;
    this.history = history;
    void this.#run();
  }

  #add(one: Intervention): void {
    const isThere = this.history.now.some((other) => JSON.stringify(other) === JSON.stringify(one));
    if (isThere) return;
    this.#apply(changedTo(this.history, [...this.history.now, one]));
  }

  /** The row of the chosen head as it is now, and which of its keys may be seen. */
  get #row(): { weights: number[]; seen: boolean[] } {
    const { layer, head, query } = this.place;
    const { values, kinds } = layerMap(this.traces!.changed.layers[layer]!).row(head, query);
    const pinned = this.history.now.find((one) => this.#isPinHere(one));
    const seen = Array.from(kinds, (kind) => kind !== MASKED);
    const own = Array.from(values, (value, s) => (seen[s] ? value : 0));
    return { weights: pinned?.do === "pin" ? [...(pinned.weights as readonly number[])] : own, seen };
  }

  #isPinHere(one: Intervention): boolean {
    const { layer, head, query } = this.place;
    return one.do === "pin" && one.layer === layer && one.heads === head && one.queries === query;
  }

  #pin(weights: readonly number[], drag?: string): void {
    const { layer, head, query } = this.place;
    const others = this.history.now.filter((one) => !this.#isPinHere(one));
    const next = [...others, { do: "pin", layer, heads: head, queries: query, weights } as const];
    const isSame = drag !== undefined && drag === this.#dragged;
    const history = isSame ? replaced(this.history, next) : changedTo(this.history, next);
    this.#apply(history);
    this.#dragged = drag;
  }

  async #rank(method: "exact" | "gradient"): Promise<void> {
    this.busy = true;
    try {
      const { text, to } = this;
      const found = await this.client.run(this.model, "effects", { text, to, method }, `effects ${method}`);
      this.effects = { ...this.effects, [method]: found };
      this.failure = undefined;
    } catch (error) {
      if (!(error instanceof Overtaken))
        this.failure = error instanceof Error ? error.message : String(error);
    }
    this.busy = false;
  }

  #go(place: Partial<HeadOperations["place"]>): void {
    this.place = { ...this.place, query: 0, key: 0, ...place };
    this.#store.set(this.place);
  }

  /** A shorter text has fewer queries and keys. */
  #keepPlace({ layers }: OperateOutput): void {
    const { layer, head, query, key } = this.place;
    const { queries, keys } = layers[layer]!;
    if (query >= queries.length || key >= keys.length) this.#go({ layer, head });
  }

  /** Goes to a head of a list, and to the controls, where it can be changed. */
  #goTo(layer: number, head: number): void {
    this.#go({ layer, head });
    this.renderRoot.querySelector<HTMLElement>('[aria-label="Layer to change"]')?.focus();
  }

  /** Takes back one change; what had the focus goes with it, so that the focus goes to what brings it back. */
  #takeBack(n: number): void {
    const { history } = this;
    this.#apply(
      changedTo(
        history,
        history.now.filter((_, m) => m !== n),
      ),
    );
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>("[data-undo]")?.focus());
  }

  override render(): TemplateResult {
    const { output, failure, history } = this;
    const isChanged = history.now.length > 0 && this.#shown === history.now;
    return html`<h3>Change its attention</h3>
      <p class="muted">One pass in which every answer is known. What is changed here changes every head after it.</p>
      ${failure === undefined ? nothing : html`<div class="failure" role="alert"><p>${failure}</p></div>`}
      ${
        output
          ? html`${this.#tools(output)}
      <div class="bar" role="group" aria-label="What is changed">
        <button type="button" data-undo ?disabled=${history.before.length === 0} @click=${() => this.#apply(undo(history))}>Undo</button>
        <button type="button" ?disabled=${history.undone.length === 0} @click=${() => this.#apply(redo(history))}>Redo</button>
        <button type="button" ?disabled=${history.now.length === 0} @click=${() => this.#apply(changedTo(history, []))}>As it was</button>
      </div>
      ${
        history.now.length === 0
          ? html`<p class="muted">Nothing is changed.</p>`
          : html`<ul>${history.now.map(
              (one, n) =>
                html`<li>${said(one, output.layers)} <button type="button" aria-label=${`Take back: ${said(one, output.layers)}`} @click=${() => this.#takeBack(n)}>✕</button></li>`,
            )}</ul>`
      }
      <p role="status" data-consequence>${isChanged ? consequence(output) : nothing}</p>
      <p>It writes: <strong data-written>${output.written.after}</strong></p>
      <div class="columns"><div>${answersTable(output.answers)}</div><div>${isChanged ? changesList(output, (layer, head) => this.#goTo(layer, head)) : nothing}</div></div>
      ${this.#maps()}
      ${this.#effects(output)}
      ${codeBlock(output.code, this.copied, () => void this.#copy(output.code))}`
          : html`<p role="status">${this.busy ? "Running." : ""}</p>`
      }`;
  }

  #tools({ layers }: OperateOutput): TemplateResult {
    const { layer, head, query, key } = this.place;
    const { heads, queries, keys } = layers[layer]!;
    const options = (list: readonly string[], chosen: number) =>
      list.map((name, n) => html`<option value=${n} ?selected=${n === chosen}>${name}</option>`);
    const tokens = (list: readonly string[]) => list.map((token, n) => `${n} ${token.trim() || "␣"}`);
    const set = (name: "query" | "key") => (event: Event) =>
      this.#go({ query, key, [name]: Number(fieldValue(event)) });
    return html`<div class="bar">
        <label>Layer <select aria-label="Layer to change" @change=${(event: Event) => this.#go({ layer: Number(fieldValue(event)), head: 0 })}>${options(
          layers.map(({ name }) => name),
          layer,
        )}</select></label>
        <label>Head <select aria-label="Head to change" @change=${(event: Event) => this.#go({ head: Number(fieldValue(event)) })}>${options(
          Array.from({ length: heads }, (_, n) => String(n)),
          head,
        )}</select></label>
        <button type="button" @click=${() => this.#add({ do: "knockOut", layer, heads: head })}>Knock out this head</button>
      </div>
      <div class="bar">
        <label>Query <select aria-label="Query to change" @change=${set("query")}>${options(tokens(queries), query)}</select></label>
        <button type="button" @click=${() => this.#add({ do: "knockOut", layer, heads: head, queries: query })}>Knock out the query</button>
        <label>Key <select aria-label="Key to change" @change=${set("key")}>${options(tokens(keys), key)}</select></label>
        <button type="button" @click=${() => this.#add({ do: "knockOut", layer, heads: head, keys: key })}>Hide the key</button>
        <button type="button" @click=${() => this.#add({ do: "knockOut", layer, heads: head, edges: [[query, key]] })}>Cut query → key</button>
        <button type="button" @click=${() => this.#pin(this.#row.weights.map((_, s) => Number(s === key)))}>Pin the row to the key</button>
      </div>${this.traces ? this.#sliders(keys) : nothing}`;
  }

  #sliders(keys: readonly string[]): TemplateResult {
    const { weights, seen } = this.#row;
    const { layer, head, query } = this.place;
    return html`<details><summary>Drag the weights of this row</summary>
      <p class="muted">The others share what is left, as they did before. Arrow keys move a slider.</p>
      <div class="weights">${keys.slice(0, MOST_SLIDERS).map((token, s) =>
        seen[s]
          ? html`<label><span>${token.trim() || "␣"}</span> <input type="range" min="0" max="1" step="0.01" data-key=${s} .value=${weights[s]!.toFixed(2)}
              @input=${(event: Event) => this.#pin(renormalized(weights, s, Number(fieldValue(event)), seen), `${layer} ${head} ${query} ${s}`)} /> <span>${weights[s]!.toFixed(2)}</span></label>`
          : nothing,
      )}</div></details>`;
  }

  #maps(): TemplateResult | typeof nothing {
    if (!this.traces) return nothing;
    const { unchanged, changed } = this.traces;
    return html`<div class="columns">
      <heed-heatmap .trace=${unchanged} .store=${this.#store} heading="Unchanged" heading-level="4"></heed-heatmap>
      <heed-heatmap .trace=${changed} .store=${this.#store} heading="Changed" heading-level="4"></heed-heatmap></div>`;
  }

  #effects(output: OperateOutput): TemplateResult {
    const { exact, gradient } = this.effects;
    return html`<h3>What every head does</h3>
      <p class="muted">How the log-probability of all answers together changes when a head's output is 0: below 0, the answers need the head. Exactly by running again for each head, to first order by one run and its gradients.</p>
      <div class="bar"><button type="button" @click=${() => void this.#rank("exact")}>Rank exactly</button>
      <button type="button" @click=${() => void this.#rank("gradient")}>Rank to first order</button>
      <span role="status">${this.busy ? "Running." : ""}</span></div>
      ${exact || gradient ? effectsTable(output.layers, exact, gradient, (layer, head) => this.#goTo(layer, head)) : nothing}`;
  }

  async #copy(code: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(code);
      this.copied = true;
    } catch {
      this.failure = "the browser does not let this page copy; select the code and copy it";
    }
  }
}

customElements.define("head-operations", HeadOperations);
