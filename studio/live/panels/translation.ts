import { html, nothing, type TemplateResult } from "lit";
import type { Translation } from "../../../src/tasks/translation/translation.ts";
import type { ModelSource } from "../client.ts";
import { FIRST } from "../first.ts";
import { keep, kept } from "../kept.ts";
import { fieldValue, LivePanel } from "../panel.ts";
import type { TranslateOutput } from "../protocol.ts";

const MODELS = {
  "translation-en": "Transformer",
  "translation-en-fr": "recurrent, with attention",
} as const;
type ModelName = keyof typeof MODELS;

const LANGUAGES: Readonly<Record<string, string>> = { fr: "French", de: "German", es: "Spanish" };
/** Letters up to which every keystroke is answered with a wide beam: some twenty words, in less than 300 ms. */
const SHORT = 120;
/** What keystrokes in longer texts are answered with; once the reader pauses, the candidates of the wide beam follow. */
const QUICK_BEAM = 1;
/** Letters from which on a text is translated without a beam: it would take seconds. */
const LONG = 400;
const { beam: BEAM } = FIRST.translation;

/** `<live-translation>`: a sentence is translated as it is typed, with the candidates of the beam and what each word looked at. */
export class LiveTranslation extends LivePanel {
  static override properties = {
    text: { state: true },
    model: { state: true },
    to: { state: true },
    output: { state: true },
  };
  declare text: string;
  declare model: ModelName;
  declare to: string;
  declare output: TranslateOutput | undefined;

  constructor() {
    super();
    this.text = kept("translation", FIRST.translation.text);
    this.model = "translation-en";
    this.to = "fr";
  }

  protected override get source(): ModelSource {
    return {
      model: this.model,
      kind: "translation",
      address: new URL(`${this.model}/`, this.modelsBase).href,
    };
  }

  override firstUpdated(): void {
    if (this.text === FIRST.translation.text)
      void this.cached<TranslateOutput>("translation").then((output) => output && this.#take(output));
    super.firstUpdated();
  }

  protected override async answer(): Promise<void> {
    await this.#translate(BEAM);
  }

  async #translate(beam: number): Promise<void> {
    if (this.status !== "ready") return;
    const { text } = this;
    const to = this.facts?.languages?.includes(this.to) ? this.to : (this.facts?.languages?.[0] ?? this.to);
    const output = await this.ask("translate", { text, to, beam: text.length > LONG ? QUICK_BEAM : beam });
    if (output) this.#take(output);
  }

  #take(output: TranslateOutput): void {
    this.output = output;
    this.show(output, "translation");
  }

  #type(event: Event): void {
    this.text = fieldValue(event);
    keep("translation", this.text);
    const isShort = this.text.length <= SHORT;
    void this.guarded(() => this.#translate(isShort ? BEAM : QUICK_BEAM));
    // Also where the text was long before: what waits then must not take the place of the answer.
    this.whenIdle(async () => (isShort ? undefined : this.#translate(BEAM)));
  }

  #choose(model: ModelName): void {
    this.model = model;
    this.operating = false;
    this.facts = undefined;
    void this.load();
  }

  override render(): TemplateResult {
    const { output, text, to, model } = this;
    const languages = this.facts?.languages ?? (model === "translation-en" ? ["fr", "de", "es"] : ["fr"]);
    return html`
      <label class="wide">An English sentence
        <textarea lang="en" maxlength="100000" .value=${text} @input=${this.#type}></textarea></label>
      <div class="bar">
        <label>Into <select aria-label="Into which language" @change=${(event: Event) => {
          this.to = fieldValue(event);
          void this.guarded(() => this.#translate(BEAM));
        }}>${languages.map((one) => html`<option value=${one} ?selected=${one === to}>${LANGUAGES[one] ?? one}</option>`)}</select></label>
        <label>Model <select aria-label="Model to use" @change=${(event: Event) => this.#choose(fieldValue(event) as ModelName)}>${Object.entries(
          MODELS,
        ).map(
          ([name, title]) => html`<option value=${name} ?selected=${name === model}>${title}</option>`,
        )}</select></label>
      </div>
      <p class="answer" lang=${to} data-answer>${output?.translation.target ?? ""}</p>
      ${output && output.cut > 0 ? html`<p>The first words are translated here; ${output.cut} more are left out. <code>heed translate</code> takes texts of any length.</p>` : nothing}
      ${output ? doubtsOf(output.translation) : nothing}
      ${this.statusLine()}
      ${this.operations(text, to)}
      <div class="columns">
        ${this.embedded ? nothing : html`<div>${this.map("What each word looked at")}</div>`}
        <div>${output ? candidates(output.translation) : nothing}</div>
      </div>`;
  }
}

function doubtsOf({ doubts = [], confidence }: Translation): TemplateResult {
  const sure = confidence === undefined ? "" : `Confidence ${(100 * confidence).toFixed(0)} %.`;
  const why = doubts.length > 0 ? ` Doubtful: ${doubts.join(", ")}.` : "";
  return html`<p class="muted">${sure}${why}</p>`;
}

function candidates({
  target,
  score,
  confidence,
  alternatives = [],
}: Translation): TemplateResult | typeof nothing {
  if (target === "") return nothing;
  const all = [{ target, score, confidence }, ...alternatives];
  return html`<h3>Candidates of the beam</h3><div class="scroll" tabindex="0" role="region" aria-label="Candidates"><table>
    <thead><tr><th scope="col">translation</th><th scope="col">score</th><th scope="col">confidence</th></tr></thead>
    <tbody>${all.map(
      (one) => html`<tr><td>${one.target}</td><td>${one.score.toFixed(2)}</td>
        <td>${one.confidence === undefined ? "–" : `${(100 * one.confidence).toFixed(0)} %`}</td></tr>`,
    )}</tbody></table></div>
    <p class="muted">Score: log-probability over the length penalty, in nats.</p>`;
}

customElements.define("live-translation", LiveTranslation);
