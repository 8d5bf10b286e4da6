import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { short } from "../../src/elements/parts/sentences.ts";
import { tableTemplate } from "../../src/elements/parts/table.ts";
import { sizeText } from "./bytes-text.ts";
import type { CheckpointFacts } from "./checkpoint-facts.ts";
import { parts } from "./styles.ts";

/** `<model-card>`: what an opened model is, and its tensors. The button runs it, where the studio can: `model-run`. */
export class ModelCard extends LitElement {
  static override properties = {
    facts: { attribute: false },
    canRun: { attribute: false },
    page: { state: true },
  };
  static override styles = [
    parts,
    css`
      :host { padding: 0.5rem 0.75rem; max-inline-size: 56rem; }
      h2 { font-size: 1.15rem; text-transform: none; letter-spacing: 0; color: var(--heed-text); }
      .scroll { overflow: auto; max-block-size: 28rem; border: 1px solid var(--heed-line); }
      td, th { padding: 0.15rem 0.5rem; overflow-wrap: anywhere; }
      caption { text-align: start; padding: 0.3rem 0.5rem; }
    `,
  ];

  declare facts: CheckpointFacts | undefined;
  declare canRun: boolean;
  declare page: number;

  constructor() {
    super();
    this.canRun = false;
    this.page = 0;
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (changed.has("facts")) this.page = 0;
  }

  protected override render(): TemplateResult {
    const { facts } = this;
    if (!facts) return html``;
    const { name, architecture, format, parameters, bytes, dtypes, tensors, beside, shape } = facts;
    const isPublished = beside.includes("config.json") || format === "gguf";
    const run = () => this.dispatchEvent(new CustomEvent("model-run", { bubbles: true, composed: true }));
    return html`<h2>${short(name)}</h2>
      <p>A model, not yet a trace: attention appears when it runs on something.</p>
      <dl>
        <dt>architecture</dt><dd>${architecture === undefined ? "not said" : short(architecture)}</dd>
        <dt>format</dt><dd>${format}</dd>
        <dt>parameters</dt><dd>${parameters.toLocaleString("en")}</dd>
        <dt>tensors</dt><dd>${tensors.length.toLocaleString("en")}, ${sizeText(bytes)}: ${dtypes.map(([type, count]) => `${count} ${type}`).join(", ")}</dd>
        ${shape.map(([key, value]) => html`<dt>${key.replaceAll("_", " ")}</dt><dd>${value}</dd>`)}
        <dt>beside it</dt><dd>${beside.map(short).join(", ") || "nothing"}</dd>
      </dl>
      ${
        this.canRun
          ? html`<div class="bar"><button type="button" @click=${run}>Run it in Live</button></div>`
          : !isPublished
            ? nothing
            : html`<p class="muted">To run it: <code>heed look ${short(name)} --trace t.attn "A text."</code>, then open t.attn here.</p>`
      }
      ${
        tensors.length === 0
          ? nothing
          : tableTemplate({
              caption: "Its tensors",
              head: ["name", "type", "shape", "size"],
              rows: tensors.length,
              page: this.page,
              rowOf: (n) => {
                const { name, dtype, shape, bytes } = tensors[n]!;
                return [short(name), dtype, shape.join(" × ") || "1", sizeText(bytes)];
              },
              turn: (page) => {
                this.page = page;
              },
            })
      }`;
  }
}

customElements.define("model-card", ModelCard);

declare global {
  interface HTMLElementTagNameMap {
    "model-card": ModelCard;
  }
}
