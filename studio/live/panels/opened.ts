import { html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import type { ModelSource } from "../client.ts";
import "./classes.ts";
import "./hub.ts";
import { TextPanel } from "./text.ts";

/** `<live-opened>`: a published model that the reader opens, from a folder as the Hugging Face hub has it. */
export class LiveOpened extends TextPanel {
  static override properties: PropertyDeclarations = { opened: { attribute: false } };
  /** The files of the model. */
  declare opened: readonly File[] | undefined;

  constructor() {
    super();
    this.text = "The cat sat on the mat.";
  }

  protected override get source(): ModelSource {
    return { model: "opened", kind: "pretrained", files: this.opened ?? [] };
  }

  override firstUpdated(): void {
    if (this.opened) super.firstUpdated();
  }

  override updated(changed: Map<string, unknown>): void {
    if (!changed.has("opened") || !this.opened || changed.get("opened") === undefined) return;
    void this.#reopen();
  }

  #open(files: FileList | readonly File[]): void {
    const isFirst = this.opened === undefined;
    this.opened = [...files];
    if (isFirst) void this.#reopen();
  }

  #reopen(): Promise<void> {
    this.client.forget("opened");
    this.facts = undefined;
    this.output = undefined;
    this.trace = undefined;
    return this.load();
  }

  override render(): TemplateResult {
    return html`
      <p>Open a model that you have: all files of its folder, or drop them here. Heed reads BERT, RoBERTa, DistilBERT, ALBERT (MiniLM is a BERT), GPT-2, Llama and their kin
        from <code>.safetensors</code>, <code>.bin</code> with <code>config.json</code> and <code>tokenizer.json</code>, or one <code>.gguf</code>. Nothing of yours leaves this page.</p>
      <div class="bar" @dragover=${(event: DragEvent) => event.preventDefault()} @drop=${(
        event: DragEvent,
      ) => {
        event.preventDefault();
        if (event.dataTransfer?.files.length) this.#open(event.dataTransfer.files);
      }}>
        <label>Files of a model <input type="file" multiple @change=${(event: Event) => {
          const { files } = event.target as HTMLInputElement;
          if (files?.length) this.#open(files);
        }} /></label>
      </div>
      <hub-models @model-files=${(event: CustomEvent<File[]>) => this.#open(event.detail)}></hub-models>
      ${this.facts?.description ? html`<p><strong>${this.facts.description}</strong></p>` : nothing}
      ${this.opened ? this.reading() : nothing}
      ${
        this.facts?.acts.includes("trainClasses")
          ? html`<class-training .client=${this.client} model="opened"></class-training>`
          : nothing
      }`;
  }
}

customElements.define("live-opened", LiveOpened);
