import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { controls } from "../../parts/styles.ts";
import type { CodeFailure } from "./protocol.ts";

/** How long after the last key code is run. */
const PAUSE_MS = 250;

/**
 * `<code-editor>`: a labelled text area for a few lines of code, with the numbers of its lines, and what is wrong with them below.
 * Tab leaves it, as it leaves any field. `code-change` tells the text when the reader pauses.
 */
export class CodeEditor extends LitElement {
  static override properties = {
    text: {},
    label: {},
    hint: {},
    failure: { attribute: false },
  };
  static override styles = [
    controls,
    css`
      label { display: block; font-weight: 600; }
      .box { display: grid; grid-template-columns: auto minmax(0, 1fr); border: 1px solid var(--heed-line); border-radius: 6px; background: var(--heed-raised); margin-block: 0.35rem; overflow: hidden; }
      .box:focus-within { outline: 3px solid var(--heed-focus); }
      ol, textarea { font: 13px/1.5 ui-monospace, "SFMono-Regular", Menlo, Consolas, monospace; margin: 0; padding: 0.5rem; }
      ol { list-style: none; text-align: end; color: var(--heed-muted); border-inline-end: 1px solid var(--heed-line); user-select: none; }
      ol li.wrong { color: var(--heed-alert); font-weight: 700; }
      textarea { border: 0; resize: none; background: none; color: inherit; white-space: pre; overflow-x: auto; overflow-y: hidden; tab-size: 2; inline-size: 100%; outline: none; }
      .failure { border-inline-start: 4px solid var(--heed-alert); padding-inline-start: 0.75rem; overflow-wrap: anywhere; }
      @media (forced-colors: active) { ol li.wrong { outline: 2px solid Highlight; } }
    `,
  ];

  declare text: string;
  declare label: string;
  declare hint: string;
  declare failure: CodeFailure | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.text = "";
    this.label = "Code";
    this.hint = "";
    this.failure = undefined;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
  }

  get #area(): HTMLTextAreaElement | null {
    return this.renderRoot.querySelector("textarea");
  }

  readonly #onInput = (): void => {
    this.text = this.#area?.value ?? "";
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), PAUSE_MS);
  };

  #send(): void {
    this.dispatchEvent(
      new CustomEvent<string>("code-change", { detail: this.text, bubbles: true, composed: true }),
    );
  }

  /** Puts the cursor into the line that is wrong. */
  readonly #go = (): void => {
    const { line, column } = this.failure ?? {};
    const area = this.#area;
    if (!area || line === undefined) return;
    const before = this.text
      .split("\n")
      .slice(0, line - 1)
      .reduce((sum, { length }) => sum + length + 1, 0);
    const end = this.text.indexOf("\n", before);
    area.focus();
    area.setSelectionRange(before + (column ?? 0), end < 0 ? this.text.length : end);
  };

  override render(): TemplateResult {
    const lines = this.text.split("\n").length;
    const { line, message } = this.failure ?? {};
    return html`<label for="area">${this.label}</label><p class="muted" id="hint">${this.hint}</p>
      <div class="box"><ol aria-hidden="true">${Array.from(
        { length: lines },
        (_, n) => html`<li class=${n + 1 === line ? "wrong" : ""}>${n + 1}</li>`,
      )}</ol><textarea id="area" rows=${lines} spellcheck="false" autocapitalize="off" autocomplete="off" wrap="off"
        aria-describedby="hint failure" aria-invalid=${String(message !== undefined)} .value=${this.text}
        @input=${this.#onInput}></textarea></div>
      <div id="failure" role="alert">${
        message === undefined
          ? nothing
          : html`<p class="failure">${line === undefined ? nothing : html`<strong>Line ${line}:</strong> `}${message}
            ${line === undefined ? nothing : html`<button type="button" @click=${this.#go}>Go to line ${line}</button>`}</p>`
      }</div>`;
  }
}

customElements.define("code-editor", CodeEditor);

declare global {
  interface HTMLElementTagNameMap {
    "code-editor": CodeEditor;
  }
}
