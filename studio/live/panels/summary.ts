import { html, nothing, type TemplateResult } from "lit";
import type { Summary } from "../../../src/tasks/summarization/summarizer.ts";
import type { ModelSource } from "../client.ts";
import { FIRST } from "../first.ts";
import { keep, kept } from "../kept.ts";
import { fieldValue, LivePanel } from "../panel.ts";
import type { SummarizeOutput } from "../protocol.ts";

const MODELS = {
  "summarization-arxiv": "abstracts of papers to titles",
  "summarization-wiki": "encyclopedia",
} as const;
type ModelName = keyof typeof MODELS;
/** Below it a word counts as copied. */
const COPIED = 0.5;
const QUICK_BEAM = 1;
const { beam: BEAM } = FIRST.summary;

/** `<live-summary>`: a text and its title; of each word whether it was copied, p_gen, and what of the text was looked at so far. */
export class LiveSummary extends LivePanel {
  static override properties = { text: { state: true }, model: { state: true }, output: { state: true } };
  declare text: string;
  declare model: ModelName;
  declare output: SummarizeOutput | undefined;

  constructor() {
    super();
    this.text = kept("summary", FIRST.summary.text);
    this.model = "summarization-arxiv";
  }

  protected override get source(): ModelSource {
    return { model: this.model, kind: "summary", address: new URL(`${this.model}/`, this.modelsBase).href };
  }

  override firstUpdated(): void {
    if (this.text === FIRST.summary.text)
      void this.cached<SummarizeOutput>("summary").then((output) => output && this.#take(output));
    super.firstUpdated();
  }

  protected override answer(): Promise<void> {
    return this.#summarize(BEAM);
  }

  async #summarize(beam: number): Promise<void> {
    if (this.status !== "ready") return;
    const output = await this.ask("summarize", { text: this.text, beam });
    if (output) this.#take(output);
  }

  #take(output: SummarizeOutput): void {
    this.output = output;
    this.show(output, "summary");
  }

  #type(event: Event): void {
    this.text = fieldValue(event);
    keep("summary", this.text);
    void this.guarded(() => this.#summarize(QUICK_BEAM));
    this.whenIdle(() => this.#summarize(BEAM));
  }

  override render(): TemplateResult {
    const { output, model } = this;
    return html`
      <label class="wide">A text<textarea rows="6" .value=${this.text} @input=${this.#type}></textarea></label>
      <div class="bar"><label>Model <select @change=${(event: Event) => {
        this.model = fieldValue(event) as ModelName;
        this.facts = undefined;
        void this.load();
      }}>${Object.entries(MODELS).map(([name, title]) => html`<option value=${name} ?selected=${name === model}>${title}</option>`)}</select></label></div>
      ${output ? title(output.summary) : nothing}
      ${output && output.summary.cut > 0 ? html`<p class="muted">The model reads the first ${output.summary.sourceTokens.length} words and signs; ${output.summary.cut} more were not read.</p>` : nothing}
      ${this.statusLine()}
      ${output ? coverage(output.summary) : nothing}
      ${this.map("Where each word of the title looked")}`;
  }
}

function title({ target, targetTokens, generate }: Summary): TemplateResult {
  return html`<p class="answer" data-answer>${target}</p>
    <p class="words">${targetTokens.map((word, t) => {
      const p = generate[t] ?? 1;
      return html`<span class=${p < COPIED ? "copied" : ""}>${word} <small class="muted">${p.toFixed(2)}</small></span> `;
    })}</p>
    <p class="muted">Beside each word p_gen: near 1 it was written from the vocabulary, near 0 copied from the text (underlined).</p>`;
}

/** The text, each word as dark as it was looked at. */
function coverage({ sourceTokens, weights, outside }: Summary): TemplateResult | typeof nothing {
  if (weights.length === 0) return nothing;
  const looked = sourceTokens.map((_, s) => weights.reduce((sum, row) => sum + row[s]!, 0));
  return html`<h3>Coverage: what of the text was looked at</h3>
    <p class="words">${sourceTokens.map((word, s) => {
      const share = Math.round(100 * Math.min(1, looked[s]!));
      return html`<span class=${outside[s] ? "copied" : ""} style=${`box-shadow: inset 0 -${(share / 100) * 0.9}rem color-mix(in srgb, var(--heed-focus) 30%, transparent)`}>${word}</span> `;
    })}</p>
    <p class="muted">The bar behind a word is the sum of all looks at it, full at 1 and more. Underlined words are not in the vocabulary: they can only be copied.</p>`;
}

customElements.define("live-summary", LiveSummary);
