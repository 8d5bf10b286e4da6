import { html, LitElement, nothing, svg, type TemplateResult } from "lit";
import { readTrace, type Trace } from "../../../src/inspect/index.ts";
import type { LiveClient } from "../client.ts";
import { fieldValue } from "../panel.ts";
import { liveStyles } from "../styles.ts";
import type { ToyStep } from "../train-protocol.ts";

const FIRST = "the red cat sees a small dog";
const MODEL = "toy translator";
/** Width and height of the curve. */
const [WIDTH, HEIGHT] = [320, 110];
/** Losses that are drawn end here: ln of the words, where nothing is known. */
const MOST_LOSS = 3;

/** `<live-training>`: a small translator learns in the page; where each word looks forms while it does. */
export class LiveTraining extends LitElement {
  static override properties = {
    client: { attribute: false },
    embedded: { attribute: false },
    sentence: { state: true },
    seed: { state: true },
    latest: { state: true },
    losses: { state: true },
    trace: { state: true },
    running: { state: true },
    failure: { state: true },
  };
  static override styles = [liveStyles];

  declare client: LiveClient;
  /** Whether the page around it shows the trace. */
  declare embedded: boolean;
  declare sentence: string;
  declare seed: number;
  declare latest: ToyStep | undefined;
  declare losses: readonly { step: number; loss: number }[];
  declare trace: Trace | undefined;
  declare running: boolean;
  declare failure: string | undefined;

  #stop: (() => void) | undefined;

  constructor() {
    super();
    this.sentence = FIRST;
    this.seed = 1;
    this.losses = [];
    this.running = false;
    this.embedded = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop?.();
  }

  async #train(): Promise<void> {
    if (this.running) return;
    this.running = true;
    this.failure = undefined;
    try {
      await this.client.load({ model: MODEL, kind: "training", address: document.baseURI }, () => undefined);
      const { seed, sentence } = this;
      const { done, stop } = this.client.begin(MODEL, "trainToy", { seed, sentence }, (step) =>
        this.#take(step),
      );
      this.#stop = stop;
      await done;
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error);
    }
    this.running = false;
  }

  #take(step: ToyStep): void {
    this.latest = step;
    if (!Number.isNaN(step.loss)) this.losses = [...this.losses, { step: step.step, loss: step.loss }];
    if (!step.trace) return;
    this.trace = readTrace(step.trace);
    const detail = { name: "training", trace: this.trace };
    this.dispatchEvent(new CustomEvent("trace-change", { detail, bubbles: true, composed: true }));
  }

  #reset(): void {
    this.#stop?.();
    this.seed++;
    this.losses = [];
    this.latest = undefined;
    this.trace = undefined;
  }

  override render(): TemplateResult {
    const { latest, running, trace } = this;
    return html`
      <p>A recurrent translator with attention begins with random numbers, here and now, and learns a made-up pair of languages: adjectives stand before their nouns
        in one and behind them in the other, the verb in the middle or at the end. What it is marked on, one sentence of seven, it never sees.</p>
      <label class="wide">A sentence to watch, of the words of the language
        <input type="text" size="40" ?disabled=${running} .value=${this.sentence} @input=${(event: Event) => {
          this.sentence = fieldValue(event);
        }} /></label>
      <div class="bar">
        ${
          running
            ? html`<button type="button" @click=${() => this.#stop?.()}>Pause</button>`
            : html`<button type="button" @click=${() => void this.#train()}>${latest ? "Go on" : "Train"}</button>`
        }
        <button type="button" ?disabled=${running || !latest} @click=${() => this.#reset()}>Begin anew</button>
        <span class="muted" data-step=${latest?.step ?? 0} data-right=${latest?.right ?? 0}>${latest ? `Step ${latest.step}: ${(100 * latest.right).toFixed(0)} % of held-out sentences are right, word by word.` : ""}</span>
      </div>
      ${this.failure === undefined ? nothing : html`<div class="failure" role="alert"><p>${this.failure}</p></div>`}
      ${
        latest
          ? html`<p>“${latest.source.join(" ")}” should be <span lang="fr">“${latest.target.join(" ")}”</span>; it writes</p>
        <p class="answer" lang="fr" data-answer>${latest.written.join(" ")}</p>`
          : nothing
      }
      <div class="columns"><div>${this.losses.length > 1 ? curve(this.losses) : nothing}</div>
      <div>${trace && !this.embedded ? html`<heed-heatmap .trace=${trace} heading="Where each word looks" heading-level="3"></heed-heatmap>` : nothing}</div></div>
      <p class="muted">To train on two classes of your own sentences, open a BERT such as MiniLM under “Your model”.</p>`;
  }
}

/** The loss by steps. */
function curve(losses: readonly { step: number; loss: number }[]): TemplateResult {
  const last = losses.at(-1)!;
  const points = losses.map(({ step, loss }) => {
    const [x, y] = [(step / last.step) * WIDTH, HEIGHT * (1 - Math.min(1, loss / MOST_LOSS))];
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return html`<h3>Loss</h3><svg viewBox="-2 -2 ${WIDTH + 4} ${HEIGHT + 4}" width=${WIDTH} height=${HEIGHT} role="img"
      aria-label=${`Loss after ${last.step} steps: ${last.loss.toFixed(2)} nats a word`} style="max-width:100%;border:1px solid var(--heed-line)">
      ${svg`<polyline points=${points.join(" ")} fill="none" stroke="currentColor" stroke-width="2"></polyline>`}</svg>
    <p class="muted">${last.loss.toFixed(3)} nats a word, from ${MOST_LOSS} at the top to 0.</p>`;
}

customElements.define("live-training", LiveTraining);
