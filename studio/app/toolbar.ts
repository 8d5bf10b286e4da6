import { html, nothing, type TemplateResult } from "lit";
import { short } from "../../src/elements/parts/sentences.ts";
import type { StudioDocument } from "./documents.ts";
import { FORMATS, type Format } from "./formats.ts";

/** What the bar above the views does. */
export interface ToolbarActs {
  show(id: string): void;
  compare(id: string | undefined): void;
  open(files: readonly File[]): void;
  save(format: Format): void;
  copyLink(): void;
  live(): void;
}

export interface ToolbarState {
  readonly documents: readonly StudioDocument[];
  readonly shown: string | undefined;
  readonly compared: string | undefined;
  readonly canSave: boolean;
  /** Whether models run beside the views; undefined where none can. */
  readonly isLive: boolean | undefined;
}

const GROUPS = ["Live", "Opened", "Shipped"] as const;

/** The documents, in their groups, as the options of a list. */
function options(documents: readonly StudioDocument[], chosen: string | undefined): TemplateResult[] {
  return GROUPS.map((group) => ({ group, own: documents.filter((one) => one.group === group) }))
    .filter(({ own }) => own.length > 0)
    .map(
      ({ group, own }) =>
        html`<optgroup label=${group}>${own.map(
          ({ id, title }) => html`<option value=${id} ?selected=${id === chosen}>${short(title)}</option>`,
        )}</optgroup>`,
    );
}

/** The bar above the views: which document, what beside it, and what to do with it. */
export function toolbarTemplate(
  { documents, shown, compared, canSave, isLive }: ToolbarState,
  acts: ToolbarActs,
): TemplateResult {
  const value = (event: Event) => (event.target as HTMLSelectElement).value;
  const pick = (event: Event) => {
    const field = event.target as HTMLInputElement;
    const files = [...(field.files ?? [])];
    // The same file can be opened again.
    field.value = "";
    if (files.length > 0) acts.open(files);
  };
  const field = (event: Event) =>
    (event.currentTarget as HTMLElement).parentElement!.querySelector<HTMLInputElement>("input")!.click();
  const others = documents.filter(({ id }) => id !== shown);
  return html`<div class="toolbar">
    ${
      isLive === undefined
        ? nothing
        : html`<button type="button" aria-pressed=${isLive} @click=${() => acts.live()}>Run a model</button>`
    }
    <label>Document <select .value=${shown ?? ""} @change=${(event: Event) => acts.show(value(event))}>
      ${shown === undefined ? html`<option value="" selected>–</option>` : nothing}${options(documents, shown)}</select></label>
    <span><button type="button" @click=${field}>Open…</button>
      <input type="file" multiple hidden aria-label="Open files" @change=${pick} /></span>
    <span class="folder"><button type="button" @click=${field}>Open folder…</button>
      <input type="file" webkitdirectory hidden aria-label="Open a folder" @change=${pick} /></span>
    <label>Compare with <select .value=${compared ?? ""} @change=${(event: Event) => acts.compare(value(event) || undefined)}>
      <option value="" ?selected=${compared === undefined}>nothing</option>${options(others, compared)}</select></label>
    <span class="space"></span>
    <span class="saves" role="group" aria-label="Save as">Save ${FORMATS.map(
      (format) =>
        html`<button type="button" aria-label=${`Save ${format}`} ?disabled=${!canSave} @click=${() => acts.save(format)}>${format}</button>`,
    )}</span>
    <button type="button" @click=${() => acts.copyLink()}>Copy link</button>
  </div>`;
}

/** Where a newcomer goes on: what the words mean, a sentence of one's own, the guided path. */
export function waysTemplate({ live }: Pick<ToolbarActs, "live">, hasLive: boolean): TemplateResult {
  const own = html` <button type="button" class="link" @click=${() => live()}>Try a sentence of your own</button> ·`;
  return html`<p class="ways">A query is what looks, a key what it can look at; a weight says how much of it the query takes.${hasLive ? own : nothing}
    <a href="./learn.html">What is attention?</a></p>`;
}
