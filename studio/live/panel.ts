import { html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { readTrace, type Trace } from "../../src/inspect/index.ts";
import { type LiveClient, type ModelSource, Overtaken, type Progress } from "./client.ts";
import type { ActName, InputOf, ModelFacts, OutputOf, Traced } from "./protocol.ts";
import { liveStyles } from "./styles.ts";

/** What the status line of a panel says. */
type Status = "cached" | "loading" | "ready" | "failed";

const MEGABYTE = 2 ** 20;

/**
 * A panel that runs a model: it shows a run that was made earlier at once, loads the model behind it, and then answers what
 * the reader does. What fails is said in the panel, with a way on.
 */
export abstract class LivePanel extends LitElement {
  static override properties: PropertyDeclarations = {
    client: { attribute: false },
    modelsBase: { attribute: false },
    runsBase: { attribute: false },
    embedded: { attribute: false },
    status: { state: true },
    progress: { state: true },
    failure: { state: true },
    facts: { state: true },
    trace: { state: true },
    milliseconds: { state: true },
    operating: { state: true },
  };
  static override styles = [liveStyles];

  declare client: LiveClient;
  /** Where the shipped models lie, absolute. */
  declare modelsBase: string;
  /** Where the runs lie that were made earlier, absolute. */
  declare runsBase: string;
  /** Whether the page around it shows the trace. */
  declare embedded: boolean;
  declare protected status: Status;
  declare protected progress: Progress | undefined;
  /** What went wrong last, for the reader. */
  declare protected failure: string | undefined;
  declare protected facts: ModelFacts | undefined;
  declare protected trace: Trace | undefined;
  /** How long the last answer took, from the reader's act to the numbers. */
  declare protected milliseconds: number | undefined;

  /** Whether the reader changes the model's attention. */
  declare protected operating: boolean;

  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.status = "cached";
    this.embedded = false;
    this.operating = false;
  }

  /** The model that answers. */
  protected abstract get source(): ModelSource;
  /** Asks the model about what the reader has there now. */
  protected abstract answer(): Promise<void>;

  override firstUpdated(): void {
    void this.load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#idle);
  }

  /** Loads the model and lets it answer. */
  protected async load(): Promise<void> {
    const { source } = this;
    this.status = "loading";
    this.progress = undefined;
    this.failure = undefined;
    try {
      const facts = await this.client.load(source, (progress) => {
        if (this.source.model === source.model) this.progress = progress;
      });
      if (this.source.model !== source.model) return;
      this.facts = facts;
      this.status = "ready";
      await this.guarded(() => this.answer());
    } catch (error) {
      if (this.source.model !== source.model) return;
      this.status = "failed";
      this.failure = error instanceof Error ? error.message : String(error);
    }
  }

  /** Runs an act of the model; undefined where a newer run overtook it, or it failed, which is then said. */
  protected async ask<A extends ActName>(act: A, input: InputOf<A>): Promise<OutputOf<A> | undefined> {
    const begun = performance.now();
    try {
      const output = await this.client.run(this.source.model, act, input, this.localName);
      this.failure = undefined;
      this.milliseconds = performance.now() - begun;
      return output;
    } catch (error) {
      if (error instanceof Overtaken) return undefined;
      throw error;
    }
  }

  /** Shows what an act throws. */
  protected async guarded(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.failure = error instanceof Error ? error.message : String(error);
    }
  }

  /** Does something once the reader has paused. */
  protected whenIdle(act: () => Promise<void>, ms = 400): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.guarded(act), ms);
  }

  /** Takes the trace of an answer, and tells the page of it. */
  protected show(traced: Traced, name: string): void {
    this.trace = traced.trace && readTrace(traced.trace);
    const { trace } = this;
    if (!trace) return;
    this.dispatchEvent(
      new CustomEvent("trace-change", { detail: { name, trace }, bubbles: true, composed: true }),
    );
  }

  /** An answer that was made earlier, where the model has none yet. */
  protected async cached<T extends Traced>(name: string): Promise<T | undefined> {
    try {
      const response = await fetch(new URL(`${name}.json`, this.runsBase));
      const { output, trace } = (await response.json()) as { output: T; trace?: string };
      if (this.facts) return undefined;
      return {
        ...output,
        ...(trace && { trace: Uint8Array.from(atob(trace), (letter) => letter.charCodeAt(0)) }),
      };
    } catch {
      // Without it the panel waits for the model.
      return undefined;
    }
  }

  /** The map of the trace, unless the page around the panel shows it. */
  protected map(heading: string): TemplateResult | typeof nothing {
    const { trace, embedded } = this;
    if (!trace || embedded) return nothing;
    return html`<heed-heatmap .trace=${trace} heading=${heading} heading-level="3"></heed-heatmap>`;
  }

  /** What opens the operations on the heads, of a model that has them, and the operations on a text. */
  protected operations(text: string, to?: string): TemplateResult | typeof nothing {
    if (!this.facts?.acts.includes("operate")) return nothing;
    const turn = () => {
      this.operating = !this.operating;
    };
    return html`<div class="bar"><button type="button" aria-expanded=${String(this.operating)} @click=${turn}>Change its attention</button></div>
      ${
        this.operating
          ? html`<head-operations .client=${this.client} .model=${this.source.model} .text=${text} .to=${to}></head-operations>`
          : nothing
      }`;
  }

  /** How the model stands, and what went wrong. */
  protected statusLine(): TemplateResult {
    const { status, progress, facts, milliseconds } = this;
    const of = (bytes: number) => (bytes / MEGABYTE).toFixed(1);
    const loading = progress
      ? `Loading the model: ${of(progress.loaded)}${progress.total ? ` of ${of(progress.total)}` : ""} MB.`
      : "Loading the model.";
    const threads = facts && facts.threads > 1 ? `${facts.threads} threads` : "one thread";
    const why = globalThis.crossOriginIsolated ? "" : ": this page is not cross-origin isolated";
    const answered = milliseconds === undefined ? "" : ` Answered in ${milliseconds.toFixed(0)} ms.`;
    return html`<div class="bar muted">
        <span role="status" data-status=${status} data-ms=${milliseconds?.toFixed(1) ?? nothing}>${
          status === "loading"
            ? loading
            : status === "ready"
              ? `The model runs in this page on ${threads}${why}.${answered}`
              : status === "failed"
                ? "The model did not load; what is shown was made earlier."
                : ""
        }</span>
        ${status === "loading" ? progressBar(progress) : nothing}
      </div>
      ${this.failure === undefined ? nothing : this.#failure(this.failure)}`;
  }

  #failure(failure: string): TemplateResult {
    return html`<div class="failure" role="alert"><p>${failure}</p>${
      this.status === "failed"
        ? html`<button type="button" @click=${() => this.load()}>Try again</button>`
        : nothing
    }</div>`;
  }
}

/** How far loading is; a bar without a value where nobody knows how much there is. */
export function progressBar(progress: Progress | undefined): TemplateResult {
  return progress?.total
    ? html`<progress aria-label="Loading the model" max=${progress.total} value=${progress.loaded}></progress>`
    : html`<progress aria-label="Loading the model"></progress>`;
}

/** The value of the field that an event came from. */
export const fieldValue = (event: Event): string =>
  (event.target as HTMLInputElement | HTMLSelectElement).value;
