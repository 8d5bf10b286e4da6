import { html, LitElement, nothing, type TemplateResult } from "lit";
import type { LiveClient } from "../client.ts";
import { fieldValue } from "../panel.ts";
import { liveStyles } from "../styles.ts";
import type { ClassesStep } from "../train-protocol.ts";

const FIRST = [
  "I loved this film.\nWhat a lovely day!\nThe soup was delicious.\nThank you, that was kind.\nShe smiled all morning.",
  "I hated this film.\nWhat an awful day!\nThe soup was cold and stale.\nThat was rude.\nHe complained all morning.",
] as const;

/** `<class-training>`: two classes of sentences that the reader types are learnt on the states of an opened encoder. */
export class ClassTraining extends LitElement {
  static override properties = {
    client: { attribute: false },
    model: {},
    texts: { state: true },
    probe: { state: true },
    latest: { state: true },
    running: { state: true },
    failure: { state: true },
  };
  static override styles = [liveStyles];

  declare client: LiveClient;
  declare model: string;
  /** A sentence a line, of each class. */
  declare texts: readonly [string, string];
  declare probe: string;
  declare latest: ClassesStep | undefined;
  declare running: boolean;
  declare failure: string | undefined;

  constructor() {
    super();
    this.texts = FIRST;
    this.probe = "The meal was wonderful.";
    this.running = false;
  }

  async #train(): Promise<void> {
    this.running = true;
    this.failure = undefined;
    const of = (label: 0 | 1) =>
      this.texts[label].split("\n").flatMap((text) => (text.trim() === "" ? [] : [{ text, label }]));
    try {
      const input = { sentences: [...of(0), ...of(1)], probe: this.probe };
      const { done } = this.client.begin(this.model, "trainClasses", input, (step) => {
        this.latest = step;
      });
      this.latest = await done;
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error);
    }
    this.running = false;
  }

  override render(): TemplateResult {
    const { latest, texts } = this;
    const field = (label: 0 | 1) => html`<label class="wide">Class ${label + 1}, a sentence a line
      <textarea rows="6" .value=${texts[label]} @input=${(event: Event) => {
        this.texts = label === 0 ? [fieldValue(event), texts[1]] : [texts[0], fieldValue(event)];
      }}></textarea></label>`;
    return html`<h3>Teach it two classes</h3>
      <p class="muted">Its last layer and a linear map on the mean state of a sentence learn for 24 steps, anew each time; the layers below stay as they are. Afterwards the heads above are those of the model that learnt.</p>
      <div class="columns">${field(0)}${field(1)}</div>
      <label class="wide">A new sentence <input type="text" size="40" .value=${this.probe} @input=${(
        event: Event,
      ) => {
        this.probe = fieldValue(event);
      }} /></label>
      <div class="bar"><button type="button" ?disabled=${this.running} @click=${() => void this.#train()}>Train</button>
        <span role="status">${latest ? `Step ${latest.step} of ${latest.steps}: ${(100 * latest.right).toFixed(0)} % of the sentences are told right; the new one is class ${latest.probe > 0.5 ? 2 : 1} (${(100 * Math.max(latest.probe, 1 - latest.probe)).toFixed(0)} %).` : ""}</span></div>
      ${this.failure === undefined ? nothing : html`<div class="failure" role="alert"><p>${this.failure}</p></div>`}`;
  }
}

customElements.define("class-training", ClassTraining);
