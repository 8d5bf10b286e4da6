import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { visible } from "../../../src/viz/text.ts";
import { sizeText } from "../../app/bytes-text.ts";
import { isServedByHeed } from "../../offline/register.ts";
import type { Progress } from "../client.ts";
import { fetchListed, type Listing, listModel } from "../hub/fetch.ts";
import {
  bytesOf,
  forgetModel,
  isSamePlace,
  type KeptModel,
  keptModels,
  titleOf,
} from "../hub/kept-models.ts";
import { type HubPlace, placeOfModel } from "../hub/place.ts";
import { keep, kept } from "../kept.ts";
import { fieldValue, progressBar } from "../panel.ts";
import { liveStyles } from "../styles.ts";

/** Larger models are fetched once the reader knows how large they are, in bytes. */
const ASK_FROM = 20_000_000;

type State =
  | { readonly at: "rest" }
  | { readonly at: "asking"; readonly place: HubPlace }
  | { readonly at: "told"; readonly listing: Listing }
  | { readonly at: "fetching"; readonly listing: Listing; readonly progress: Progress | undefined }
  | { readonly at: "failed"; readonly message: string };

/**
 * `<hub-models>`: opens a model of the Hugging Face hub by its name or address, when the reader says so; what was fetched is kept
 * for the next time. Event: `model-files`, `detail: File[]`.
 */
export class HubModels extends LitElement {
  static override properties = {
    text: { state: true },
    state: { state: true },
    kept: { state: true },
  };
  static override styles = [liveStyles, css`label { min-inline-size: 0; max-inline-size: 100%; }`];

  declare text: string;
  declare state: State;
  declare kept: readonly KeptModel[];

  #abort: AbortController | undefined;

  constructor() {
    super();
    // A reload in the middle begins here: the files that had come whole are kept.
    this.text = kept("hub", "");
    this.state = { at: "rest" };
    this.kept = [];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#look();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#abort?.abort();
  }

  async #look(): Promise<void> {
    this.kept = await keptModels();
  }

  /** Runs what can be cancelled, and says what is wrong. */
  async #run(act: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.#abort?.abort();
    const own = new AbortController();
    this.#abort = own;
    try {
      await act(own.signal);
    } catch (error) {
      if (this.#abort !== own) return;
      const message = error instanceof Error ? error.message.replace(/^\w+: /, "") : String(error);
      this.state = own.signal.aborted ? { at: "rest" } : { at: "failed", message };
    }
  }

  #open(text: string): void {
    this.text = text;
    keep("hub", text);
    void this.#run(async (signal) => {
      const place = placeOfModel(text, await endpoint());
      this.state = { at: "asking", place };
      const listing = await listModel(place, signal);
      if (listing.isKept || listing.bytes < ASK_FROM || this.#isKept(listing))
        await this.#fetch(listing, signal);
      else this.state = { at: "told", listing };
    });
  }

  #isKept({ place, commit }: Listing): boolean {
    return this.kept.some((one) => isSamePlace(one.place, place) && one.commit === commit);
  }

  async #fetch(listing: Listing, signal: AbortSignal): Promise<void> {
    this.state = { at: "fetching", listing, progress: undefined };
    const files = await fetchListed(listing, signal, (progress) => {
      if (!signal.aborted) this.state = { at: "fetching", listing, progress };
    });
    this.state = { at: "rest" };
    this.dispatchEvent(new CustomEvent("model-files", { detail: files }));
    await this.#look();
  }

  async #forget(model: KeptModel): Promise<void> {
    await forgetModel(model);
    await this.#look();
  }

  override render(): TemplateResult {
    const isBusy = this.state.at === "asking" || this.state.at === "fetching";
    return html`<form class="bar" @submit=${(event: Event) => {
      event.preventDefault();
      this.#open(this.text);
    }}>
        <label>Or from the Hugging Face hub: OWNER/NAME, or an address
          <input type="text" size="40" spellcheck="false" autocapitalize="off" placeholder="sentence-transformers/all-MiniLM-L6-v2"
            .value=${this.text} @input=${(event: Event) => {
              this.text = fieldValue(event);
            }} /></label>
        <button type="submit" ?disabled=${isBusy}>Open</button>
      </form>
      ${this.#state()}
      ${this.kept.length === 0 ? nothing : this.#list()}`;
  }

  #state(): TemplateResult | typeof nothing {
    const { state } = this;
    const cancel = html`<button type="button" @click=${() => this.#abort?.abort()}>Cancel</button>`;
    switch (state.at) {
      case "asking":
        return html`<div class="bar"><span role="status">Asking ${new URL(state.place.endpoint).host} for ${titleOf(state.place)}.</span>${cancel}</div>`;
      case "told": {
        const { listing } = state;
        const { place, files, bytes, licence } = listing;
        return html`<div class="bar" role="status"><span><strong>${titleOf(place)}</strong> has ${files.length} files, ${sizeText(bytes)}${
          licence ? `, licence ${visible(licence)}` : ""
        }.</span>
          <button type="button" @click=${() => void this.#run((signal) => this.#fetch(listing, signal))}>Fetch ${sizeText(bytes)}</button>
          <button type="button" @click=${() => {
            this.state = { at: "rest" };
          }}>Not now</button></div>`;
      }
      case "fetching": {
        const { progress, listing } = state;
        const done = progress ? `${sizeText(progress.loaded)} of ` : "";
        return html`<div class="bar"><span role="status">${listing.isKept ? "The hub cannot be reached; opening what was kept" : "Fetching"}
          ${titleOf(listing.place)}: ${done}${sizeText(listing.bytes)}.</span>${progressBar(progress)}${cancel}</div>`;
      }
      case "failed":
        return html`<div class="failure" role="alert"><p>${visible(state.message)}</p>
          <button type="button" @click=${() => this.#open(this.text)}>Try again</button></div>`;
      default:
        return nothing;
    }
  }

  #list(): TemplateResult {
    return html`<p class="muted">Kept in this browser:</p><ul>${this.kept.map((model) => {
      const title = titleOf(model.place);
      const hub = new URL(model.place.endpoint).host;
      const address =
        hub === "huggingface.co" ? title : `${model.place.endpoint}/${title.replace("@", "/tree/")}`;
      return html`<li>${title}, ${sizeText(bytesOf(model.files))}
        <button type="button" aria-label=${`Open ${title}`} @click=${() => this.#open(address)}>Open</button>
        <button type="button" aria-label=${`Remove ${title}`} @click=${() => void this.#forget(model)}>Remove</button></li>`;
    })}</ul>`;
  }
}

/** The hub that `heed studio` was told of; else the one that everybody has. */
async function endpoint(): Promise<string | undefined> {
  if (!isServedByHeed()) return undefined;
  try {
    const response = await fetch(new URL("api/hub", document.baseURI));
    return ((await response.json()) as { readonly endpoint?: string }).endpoint;
  } catch {
    return undefined;
  }
}

customElements.define("hub-models", HubModels);
