import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import type { ModelSource } from "../client.ts";
import { FIRST } from "../first.ts";
import { fieldValue, LivePanel } from "../panel.ts";
import type { TextOutput } from "../protocol.ts";

const { add: ADDED } = FIRST.text;

/** A text that a model reads: what every head looks at, and what comes next. */
export abstract class TextPanel extends LivePanel {
  static override properties: PropertyDeclarations = {
    text: { state: true },
    output: { state: true },
  };
  declare text: string;
  declare output: TextOutput | undefined;

  constructor() {
    super();
    this.text = FIRST.text.text;
  }

  protected override answer(): Promise<void> {
    return this.#read(ADDED);
  }

  async #read(add: number): Promise<void> {
    if (this.status !== "ready") return;
    const output = await this.ask("read", { text: this.text, add });
    if (output) this.take(output);
  }

  protected take(output: TextOutput): void {
    // What comes next is written once the reader pauses; until then the last stays.
    this.output = output;
    this.show(output, this.source.model);
  }

  #type(event: Event): void {
    this.text = fieldValue(event);
    void this.guarded(() => this.#read(0));
    this.whenIdle(() => this.#read(ADDED));
  }

  /** The field, the answer, the heads. */
  protected reading(): TemplateResult {
    const { output, trace } = this;
    return html`
      <label class="wide">A text<textarea rows="3" .value=${this.text} @input=${this.#type}></textarea></label>
      ${output?.next === undefined ? nothing : html`<h3>What the model would write next</h3><p class="answer" data-answer>${output.next}</p>`}
      ${output?.bits === undefined ? nothing : html`<p class="muted">${output.bits.toFixed(2)} bits a character: the fewer, the less it was surprised.</p>`}
      ${output && output.cut > 0 ? html`<p class="muted">${output.tokens.length} tokens are shown; ${output.cut} others are left out.</p>` : nothing}
      ${this.statusLine()}
      ${this.operations(this.text)}
      ${trace && !this.embedded ? html`<heed-view .trace=${trace} heading="What every head looks at" heading-level="3"></heed-view>` : nothing}`;
  }
}

/** `<live-language-model>`: a language model of characters that ships. */
export class LiveLanguageModel extends TextPanel {
  protected override get source(): ModelSource {
    const model = "language-model-shakespeare";
    return { model, kind: "language-model", address: new URL(`${model}/`, this.modelsBase).href };
  }

  override firstUpdated(): void {
    void this.cached<TextOutput>("language-model").then((output) => output && this.take(output));
    super.firstUpdated();
  }

  override render(): TemplateResult {
    return this.reading();
  }
}

customElements.define("live-language-model", LiveLanguageModel);
