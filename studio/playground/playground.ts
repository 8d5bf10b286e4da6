import { html, LitElement, nothing, type TemplateResult } from "lit";
import "../math/formula.ts";
import "../parts/number-grid.ts";
import { slider } from "../parts/slider.ts";
import type { Place } from "../parts/stage-map.ts";
import "../parts/stage-map.ts";
import { controls } from "../parts/styles.ts";
import { copied } from "./code/copy.ts";
import { type Control, held } from "./controls.ts";
import { type Drawn, draw } from "./draw.ts";
import { figureTemplate } from "./figure.ts";
import { cell, fromHash, type PlayState, toHash } from "./hash.ts";
import { FAMILIES, type Preset, type Stage } from "./preset.ts";
import { controlsOf, PRESETS, startsOf } from "./presets/index.ts";
import { namesOf, sentenceOf } from "./sentences.ts";
import { styles } from "./styles.ts";
import { cellKey, type Grids } from "./values.ts";

/** Which axis of a stage the cursor's query and key stand on. */
const GRID_AXES = { q: "t", k: "s", v: "s" } as const;
const GRID_TITLES = { q: "queries q", k: "keys k", v: "values v" } as const;

/**
 * `<attention-playground>`: every mechanism as its formula, its numbers and its stages, each term beside what changes it. The
 * state is in the page's fragment.
 */
export class AttentionPlayground extends LitElement {
  static override properties = {
    state: { state: true },
    lit: { state: true },
    place: { state: true },
    said: { state: true },
  };
  static override styles = [controls, styles];

  declare state: PlayState;
  /** The terms that are lit. */
  declare lit: readonly string[];
  /** The cursor: which query and which key. */
  declare place: { readonly t: number; readonly s: number };
  /** What happened last, for those who hear the page. */
  declare said: string;
  #drawn: Drawn | undefined;
  #failure: string | undefined;

  constructor() {
    super();
    this.state = fromHash(globalThis.location?.hash ?? "");
    this.lit = [];
    this.place = { t: 0, s: 0 };
    this.said = "";
  }

  /** What is shown, by name: the numbers that the copied code gives. */
  get shown(): Readonly<Record<string, unknown>> {
    return this.#drawn?.shown ?? {};
  }

  /** The code that "Copy as code" copies. */
  get code(): string {
    return this.#drawn?.code ?? "";
  }

  readonly #onHash = (): void => {
    if (location.hash.replace(/^#/, "") !== toHash(this.state)) this.state = fromHash(location.hash);
  };

  override connectedCallback(): void {
    super.connectedCallback();
    globalThis.addEventListener("hashchange", this.#onHash);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    globalThis.removeEventListener("hashchange", this.#onHash);
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has("state")) return;
    try {
      this.#drawn = draw(this.state);
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error);
    }
  }

  #set(change: Partial<PlayState>): void {
    const isOther = change.preset !== undefined && change.preset !== this.state.preset;
    this.state = { ...this.state, ...change };
    const hash = `#${toHash(this.state)}`;
    if (isOther) history.pushState(null, "", hash);
    else history.replaceState(null, "", hash);
  }

  /** Another mechanism on the same numbers: what both can be set to stays. */
  #choose(preset: Preset): void {
    const starts = startsOf(preset);
    const kept = ["task", "seed", "T", "S", "D"]
      .filter((key) => preset.starts?.[key] === undefined)
      .map((key) => [key, this.state.values[key]!]);
    this.lit = [];
    this.#set({ preset, values: { ...starts, ...Object.fromEntries(kept) } });
    this.said = `${preset.title}. ${preset.about}`;
  }

  #setValue(control: Control, value: number): void {
    this.#set({ values: { ...this.state.values, [control.key]: held(control, value) } });
    this.#light(control.key, true);
  }

  /** Lights the terms that a control belongs to. */
  #light(key: string, isIn: boolean): void {
    const terms = this.state.preset.terms.filter((term) => term.controls.includes(key));
    this.lit = isIn ? terms.map((term) => term.key) : [];
  }

  #focusControl(term: string): void {
    const [key] = this.state.preset.terms.find(({ key: own }) => own === term)?.controls ?? [];
    if (!key) return;
    this.lit = [term];
    if (key.startsWith("grid-"))
      this.renderRoot
        .querySelector(`number-grid[data-grid="${key.slice(5)}"]`)
        ?.shadowRoot?.querySelector<HTMLElement>('[tabindex="0"]')
        ?.focus();
    else this.renderRoot.querySelector<HTMLElement>(`#control-${key}`)?.focus();
  }

  #isLit(key: string): boolean {
    return this.state.preset.terms.some((term) => this.lit.includes(term.key) && term.controls.includes(key));
  }

  override render(): TemplateResult {
    const { preset } = this.state;
    return html`
      <div class="page">
        <nav aria-label="Mechanisms">${this.#list()}</nav>
        <section aria-labelledby="title">
          <div class="head"><h2 id="title">${preset.title}</h2><p>${preset.about}</p></div>
          <math-formula links .source=${preset.formula} .lit=${this.lit.join(" ")}
            @term-point=${(event: CustomEvent<string>) => {
              this.lit = event.detail ? [event.detail] : [];
            }} @term-choose=${(event: CustomEvent<string>) => this.#focusControl(event.detail)}></math-formula>
          <ul class="terms" aria-label="Terms of the formula">${preset.terms.map(
            ({ key, says }) => html`<li><button type="button" class=${this.lit.includes(key) ? "lit" : ""}
              @click=${() => this.#focusControl(key)} @pointerenter=${() => {
                this.lit = [key];
              }} @pointerleave=${() => {
                this.lit = [];
              }}>${says}</button></li>`,
          )}</ul>
          <div class="sliders">${controlsOf(preset).map((control) => this.#control(control))}</div>
          ${this.#failure === undefined ? this.#pictures() : html`<p class="failure" role="alert">${this.#failure}</p>`}
        </section>
      </div>
      <p class="heard" role="status">${this.said}</p>`;
  }

  #list(): TemplateResult {
    const { preset } = this.state;
    const choose = (event: Event) =>
      this.#choose(PRESETS[Number((event.currentTarget as HTMLSelectElement).value)]!);
    return html`<label class="narrow">Mechanism <select @change=${choose}>${FAMILIES.map(
      (family) =>
        html`<optgroup label=${family}>${PRESETS.map((one, n) =>
          one.family === family
            ? html`<option value=${n} ?selected=${one === preset}>${one.title}</option>`
            : nothing,
        )}</optgroup>`,
    )}</select></label>
    <div class="wide">${FAMILIES.map(
      (family) =>
        html`<h2>${family}</h2><ul>${PRESETS.filter((one) => one.family === family).map(
          (one) => html`<li><button type="button" aria-current=${one === preset ? "true" : nothing}
          @click=${() => this.#choose(one)}>${one.title}</button></li>`,
        )}</ul>`,
    )}</div>`;
  }

  #control(control: Control): TemplateResult {
    const value = this.state.values[control.key]!;
    // α is for entmax alone.
    if (control.key === "alpha" && this.state.values.normalize !== 2) return html``;
    return slider({
      ...control,
      value,
      lit: this.#isLit(control.key),
      onChange: (next) => this.#setValue(control, next),
      onPoint: (isIn) => this.#light(control.key, isIn),
    });
  }

  #pictures(): TemplateResult {
    const { preset, edits } = this.state;
    const { stages, grids, code, calls, figure } = this.#drawn!;
    const { t, s } = this.place;
    return html`
      ${
        preset.grids.length === 0
          ? nothing
          : html`<h3 id="numbers">Numbers <small class="muted">write into any cell</small></h3>
      <div class="row" role="group" aria-labelledby="numbers">${preset.grids.map((name) => this.#grid(name, grids))}</div>
      <div class="bar"><button type="button" ?disabled=${Object.keys(edits).length === 0}
        @click=${() => this.#set({ edits: {} })}>Undo what I wrote</button></div>`
      }
      <h3 id="stages">Stages</h3>
      <div class="stages" role="group" aria-labelledby="stages">${stages.map((one) => this.#stage(one))}</div>
      <p class="readout" aria-live="polite">${sentenceOf(stages, t, s)}</p>
      ${figure ? figureTemplate(figure) : nothing}
      <details open><summary>The same as code</summary>
        <div class="bar"><button type="button" @click=${this.#copy}>Copy as code</button><span class="muted">${this.said}</span></div>
        <pre tabindex="0" aria-label="Code">${code}</pre></details>
      <p>Each by itself, with its formula and all that it can do: ${calls
        .filter((name) => name !== "NORMALIZERS")
        .map(
          (name, n) =>
            html`${n > 0 ? ", " : nothing}<a href=${`./playground-mechanisms.html#mechanism=${name}`}>${name}</a>`,
        )}.</p>`;
  }

  #grid(name: keyof Grids, grids: Grids): TemplateResult {
    const axis = GRID_AXES[name];
    const title = this.state.preset.grids.length === 1 ? "features x" : GRID_TITLES[name];
    return html`<number-grid data-grid=${name} .values=${grids[name]} .name=${title} .row=${this.place[axis]}
      .rowNames=${namesOf(axis, grids[name].length)} ?lit=${this.#isLit(`grid-${name}`)}
      @focusin=${() => this.#light(`grid-${name}`, true)} @focusout=${() => this.#light(`grid-${name}`, false)}
      @place=${(event: CustomEvent<Place>) => this.#move(axis, event.detail.row)}
      @change-cell=${(event: CustomEvent<Place & { value: number }>) => {
        const { row, column, value } = event.detail;
        this.#set({ edits: { ...this.state.edits, [cellKey(name, row, column)]: cell(value) } });
      }}><strong>${title}</strong></number-grid>`;
  }

  #stage({ title, step, values, colors, axes, names, terms = [] }: Stage): TemplateResult {
    const [rows, columns] = axes;
    const at = (axis: string) => (axis === "t" ? this.place.t : axis === "s" ? this.place.s : -1);
    const isLit = terms.some((term) => this.lit.includes(term));
    return html`<figure class=${isLit ? "lit" : ""}><figcaption><span class="step">${step} →</span> <strong>${title}</strong></figcaption>
      <stage-map .values=${values} .colors=${colors} .name=${title} .rowNames=${namesOf(rows, values.length)}
        .columnNames=${names ?? namesOf(columns, values[0]?.length ?? 0)} .row=${at(rows)} .column=${at(columns)}
        @place=${(event: CustomEvent<Place>) => {
          this.#move(rows, event.detail.row);
          this.#move(columns, event.detail.column);
        }}></stage-map></figure>`;
  }

  #move(axis: string, to: number): void {
    if (axis === "t" || axis === "s") this.place = { ...this.place, [axis]: to };
  }

  readonly #copy = async (): Promise<void> => {
    this.said = await copied(this.code);
  };
}

customElements.define("attention-playground", AttentionPlayground);

declare global {
  interface HTMLElementTagNameMap {
    "attention-playground": AttentionPlayground;
  }
}
