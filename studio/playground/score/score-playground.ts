import { html, nothing, type TemplateResult } from "lit";
import "../../math/formula.ts";
import { slider } from "../../parts/slider.ts";
import { formatted, type Place } from "../../parts/stage-map.ts";
import { controls } from "../../parts/styles.ts";
import type { Panel } from "../catalogue/panels.ts";
import "../code/code-editor.ts";
import { CodePage, namedIn } from "../code/code-page.ts";
import type { CodeFailure } from "../code/protocol.ts";
import { namesOf } from "../sentences.ts";
import { styles } from "../styles.ts";
import { blockMap, scoreStyles, sentenceOfBlocks } from "./block-map.ts";
import { SCORE_GROUPS, SCORE_PRESETS, type ScorePreset } from "./presets.ts";
import type { Constant, ScoreAnswer, ScoreSizes } from "./protocol.ts";

const presetOf = (hash: string): ScorePreset => {
  const name = namedIn(hash, "score");
  return SCORE_PRESETS.find((one) => one.name === name) ?? SCORE_PRESETS[0]!;
};

const SIZES = [
  ["T", "T, queries", 1, 16],
  ["S", "S, keys", 1, 16],
  ["H", "H, heads", 1, 4],
  ["seed", "Seed", 0, 99],
] as const;
/** Queries and keys of a block, each twice the one before. */
const BLOCKS = [1, 2, 4, 8];

/**
 * `<score-playground>`: a reader's own `scoreMod` and `maskMod`, traced as heed traces them: the expression and its derivative as
 * formulas, scores before and after, weights, output, the blocks that need no work, and what the kernels are given.
 */
export class ScorePlayground extends CodePage {
  static override properties = {
    ...CodePage.properties,
    preset: { state: true },
    text: { state: true },
    sizes: { state: true },
    head: { state: true },
    block: { state: true },
    answer: { state: true },
    failure: { state: true },
    place: { state: true },
  };
  static override styles = [controls, styles, scoreStyles];

  declare preset: ScorePreset;
  declare text: string;
  declare sizes: ScoreSizes;
  declare head: number;
  declare block: number;
  /** What the text gave when it last could be traced. */
  declare answer: ScoreAnswer | undefined;
  declare failure: CodeFailure | undefined;
  declare place: { readonly t: number; readonly s: number };

  constructor() {
    super();
    this.preset = presetOf(globalThis.location?.hash ?? "");
    this.text = this.preset.text;
    this.sizes = { T: 8, S: 8, H: 2, D: 4, seed: 7 };
    this.head = 0;
    this.block = 1;
    this.place = { t: 0, s: 0 };
  }

  protected override follow(): void {
    const next = presetOf(location.hash);
    if (next !== this.preset) this.#show(next);
  }

  protected override begin(): void {
    void this.#run();
  }

  #show(preset: ScorePreset): void {
    this.preset = preset;
    this.said = `${preset.title}. ${preset.about}`;
    this.#write(preset.text);
  }

  #choose(name: string): void {
    history.pushState(null, "", `#score=${name}`);
    this.#show(SCORE_PRESETS.find((one) => one.name === name)!);
  }

  #write(text: string): void {
    this.text = text;
    void this.#run();
  }

  async #run(): Promise<void> {
    const { text, sizes, head } = this;
    try {
      const answer = await this.runner.run({ do: "score", text, sizes, head, block: BLOCKS[this.block]! });
      if (text !== this.text) return;
      this.answer = answer;
      this.failure = undefined;
    } catch (error) {
      if (text === this.text) this.failure = error as CodeFailure & Error;
    }
  }

  #setSize(key: keyof ScoreSizes, value: number): void {
    this.sizes = { ...this.sizes, [key]: value };
    this.head = Math.min(this.head, this.sizes.H - 1);
    void this.#run();
  }

  #setConstant({ start, end, name }: Constant, value: number): void {
    const written = String(Number(value.toFixed(6)));
    const now = this.text.slice(start, end);
    // The places are those of the text that was traced last; another text has others.
    if (Number.isFinite(Number(now)) && new RegExp(`\\b${name}\\s*=\\s*$`).test(this.text.slice(0, start)))
      this.#write(`${this.text.slice(0, start)}${written}${this.text.slice(end)}`);
  }

  override render(): TemplateResult {
    const { preset, answer, failure } = this;
    return html`<div class="page">
      <nav aria-label="To begin with">${this.#list()}</nav>
      <section aria-labelledby="title">
        <h2 id="title">${preset.title}</h2><p class="sentence">${preset.about}</p>
        <code-editor label="scoreMod and maskMod, as in TypeScript" .text=${this.text} .failure=${failure}
          hint="Values are traced: write score.add(x), q.less(k), condition.select(a, b), not + or < or ?:. Tensors that are read stand in tensors; numbers at the top become sliders."
          @code-change=${(event: CustomEvent<string>) => this.#write(event.detail)}></code-editor>
        <div class="bar">
          <button type="button" ?disabled=${this.text === preset.text} @click=${() => this.#write(preset.text)}>Undo what I wrote</button>
          <button type="button" ?disabled=${!answer || failure !== undefined} @click=${() => this.copy(answer?.code)}>Copy as code</button>
          <span class="muted">${this.said === "Copied." ? this.said : nothing}</span>
        </div>
        <div class="sliders">${(answer?.constants ?? []).map((constant) => this.#constant(constant))}${this.#sizes()}</div>
        ${answer ? this.#shown(answer) : failure ? nothing : html`<p class="muted">Tracing …</p>`}
      </section></div>
      <p class="heard" role="status">${this.said}</p>`;
  }

  #constant(constant: Constant): TemplateResult {
    const { name, least, most, step, value } = constant;
    return slider({
      ...{ key: `constant-${name}`, label: name, hint: "a number of the text" },
      ...{ least, most, step, value, onChange: (next) => this.#setConstant(constant, next) },
    });
  }

  #sizes(): TemplateResult {
    return html`${SIZES.map(([key, label, least, most]) =>
      slider({
        key,
        label,
        least,
        most,
        step: 1,
        value: this.sizes[key],
        onChange: (value) => this.#setSize(key, value),
      }),
    )}${slider({
      ...{ key: "head", label: "Head shown", least: 0, most: this.sizes.H - 1, step: 1, value: this.head },
      onChange: (value) => {
        this.head = value;
        void this.#run();
      },
    })}${slider({
      ...{
        key: "block",
        label: "Rows of a block",
        least: 0,
        most: BLOCKS.length - 1,
        step: 1,
        value: this.block,
      },
      says: String(BLOCKS[this.block]),
      onChange: (value) => {
        this.block = value;
        void this.#run();
      },
    })}`;
  }

  #shown(answer: ScoreAnswer): TemplateResult {
    const { formulas, blocks, wgsl, reference, code } = answer;
    const size = BLOCKS[this.block]!;
    return html`<div class=${this.failure ? "old" : ""} aria-label="What the text gives" role="group">
      ${this.failure ? html`<p class="before">As it was before the text was changed:</p>` : nothing}
      <h3>What was traced</h3>
      <dl class="formulas">${formulas.map(
        ({ title, source }) =>
          html`<div><dt>${title}</dt><dd><math-formula .source=${source}></math-formula></dd></div>`,
      )}</dl>
      <h3 id="stages">Head ${this.head}</h3>
      <div class="stages" role="group" aria-labelledby="stages">
        ${this.#map("scores", "q·k ÷ √D", answer.scores)}
        ${this.#map("scores′", "scoreMod, maskMod", answer.changed)}
        ${this.#map("weights α", "softmax", answer.weights, "weights")}
        ${this.#map("output", "Σ α v", answer.output, "signed", "c")}
        ${answer.slopes ? this.#map("∂score′/∂score", "derivative", answer.slopes) : nothing}
      </div>
      <p class="readout" aria-live="polite">${this.#sentence(answer)}</p>
      <h3 id="blocks">Blocks of ${size} × ${size}</h3>
      <p>${sentenceOfBlocks(blocks)}</p>
      ${blockMap(blocks, size)}
      <details><summary>The same in WGSL, inside a tile’s loop</summary><pre tabindex="0" aria-label="WGSL">${wgsl}</pre></details>
      <details><summary>The float64 reference, element by element</summary><pre tabindex="0" aria-label="Reference">${reference}</pre></details>
      <details><summary>The whole as a program</summary><pre tabindex="0" aria-label="Code">${code}</pre></details>
    </div>`;
  }

  #map(
    title: string,
    step: string,
    values: Panel,
    colors: "signed" | "weights" = "signed",
    columns: "s" | "c" = "s",
  ): TemplateResult {
    const { t, s } = this.place;
    return html`<figure><figcaption><span class="step">${step} →</span> <strong>${title}</strong></figcaption>
      <stage-map .values=${values} .colors=${colors} .name=${title} .rowNames=${namesOf("t", values.length)}
        .columnNames=${namesOf(columns, values[0]?.length ?? 0)} .row=${t} .column=${columns === "s" ? s : -1}
        @place=${({ detail: { row, column } }: CustomEvent<Place>) => {
          this.place = { t: row, s: columns === "s" ? column : s };
        }}></stage-map></figure>`;
  }

  #sentence({ scores, changed, weights, slopes }: ScoreAnswer): string {
    const t = Math.min(this.place.t, scores.length - 1);
    const s = Math.min(this.place.s, scores[0]!.length - 1);
    const now = changed[t]![s]!;
    const after = now === Number.NEGATIVE_INFINITY ? "hidden" : formatted(now);
    const slope = slopes
      ? `; a small change of the score changes score′ ${formatted(slopes[t]![s]!)} times as much`
      : "";
    return `Query t${t} and key s${s}: score ${formatted(scores[t]![s]!)} → ${after} → weight ${formatted(weights[t]![s]!)}${slope}.`;
  }

  #list(): TemplateResult {
    return html`<label class="narrow">To begin with<select @change=${(event: Event) =>
      this.#choose((event.currentTarget as HTMLSelectElement).value)}>${SCORE_GROUPS.map(
      ({ title, presets }) =>
        html`<optgroup label=${title}>${presets.map(
          (one) => html`<option value=${one.name} ?selected=${one === this.preset}>${one.title}</option>`,
        )}</optgroup>`,
    )}</select></label>
    <div class="wide">${SCORE_GROUPS.map(
      ({ title, presets }) =>
        html`<h2>${title}</h2><ul>${presets.map(
          (one) =>
            html`<li><button type="button" aria-current=${one === this.preset ? "true" : nothing} @click=${() =>
              this.#choose(one.name)}>${one.title}</button></li>`,
        )}</ul>`,
    )}</div>`;
  }
}

customElements.define("score-playground", ScorePlayground);

declare global {
  interface HTMLElementTagNameMap {
    "score-playground": ScorePlayground;
  }
}
