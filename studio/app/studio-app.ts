import { html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import "../../src/elements/index.ts";
import { clamp } from "../../src/elements/element.ts";
import { type Model, modelOfTrace } from "../../src/elements/model.ts";
import { short } from "../../src/elements/parts/sentences.ts";
import { SelectionStore } from "../../src/elements/selection.ts";
import { type ElementState, followUrl, type OtherHead } from "../../src/elements/url-state.ts";
import type { HeedView } from "../../src/elements/view.ts";
import type { Trace } from "../../src/inspect/trace/trace.ts";
import { renamed } from "../../src/views/named.ts";
import type { Palette } from "../../src/viz/color.ts";
import type { ColorScale } from "../../src/viz/scale.ts";
import { visible } from "../../src/viz/text.ts";
import { chosenTheme, THEME_CHANGE } from "../shell/theme.ts";
import { readPlace, writePlace } from "./address.ts";
import { appStyles } from "./app-styles.ts";
import type { CompareDocuments } from "./compare-documents.ts";
import "./compare-documents.ts";
import { givenFile, type NamedFile } from "./documents.ts";
import type { Format } from "./formats.ts";
import "./head-list.ts";
import "./inspector.ts";
import { LIVE, Library, type OpenedModel, type Outcome } from "./library.ts";
import { hasLive, loadLive } from "./live-part.ts";
import { parts } from "./styles.ts";
import "./token-strip.ts";
import { type ToolbarActs, toolbarTemplate, waysTemplate } from "./toolbar.ts";

const FIRST_SELECTION = { layer: 0, head: 0, query: 0, key: 0, byKey: false, pins: [] } as const;
/** Wider pages have room for the panels beside the views. */
const WIDE = "(min-width: 1100px)";

/** `<studio-app>`: documents, their views, and what can be said of the selected weight. */
export class StudioApp extends LitElement {
  static override properties: PropertyDeclarations = Object.fromEntries(
    [
      ...["shown", "compared", "otherHead", "model", "other", "opened", "failure", "said"],
      ...["view", "palette", "colorScale", "isLive", "isOver", "isWide", "theme", "isBusy"],
    ].map((name) => [name, { state: true }]),
  );
  static override styles = [parts, appStyles];

  /** Ids of the document that is shown, and of the one beside it. */
  declare shown: string | undefined;
  declare compared: string | undefined;
  /** The head beside the selected one, where heads are compared. */
  declare otherHead: OtherHead | undefined;
  declare model: Model | undefined;
  /** That of the document beside it. */
  declare other: Model | undefined;
  /** A model that was opened, which has no attention before it runs. */
  declare opened: OpenedModel | undefined;
  declare failure: string | undefined;
  /** What the status line says. */
  declare said: string;
  declare view: string;
  declare palette: Palette;
  declare colorScale: ColorScale;
  declare isLive: boolean;
  declare isOver: boolean;
  declare isWide: boolean;
  declare theme: "light" | "dark" | undefined;
  declare isBusy: boolean;

  readonly #store = new SelectionStore();
  readonly #library = new Library();
  #unfollow: (() => void) | undefined;
  #turns = 0;
  /** The files of the model that was last run here. */
  #runs: readonly File[] | undefined;
  readonly #media = matchMedia(WIDE);

  constructor() {
    super();
    Object.assign(this, { said: "", view: "heatmap", palette: "viridis", colorScale: "linear" });
    Object.assign(this, { isLive: false, isOver: false, isBusy: true, isWide: this.#media.matches });
    this.#onTheme();
  }

  get state(): ElementState {
    const { palette, colorScale, view, otherHead: other } = this;
    return { ...this.#store.value, palette, colorScale, view, other };
  }
  set state({ palette, colorScale, view, other, ...selection }: Partial<ElementState>) {
    this.otherHead = other;
    this.#store.set(selection);
    if (palette !== undefined) this.palette = palette as Palette;
    if (colorScale !== undefined) this.colorScale = colorScale as ColorScale;
    if (view !== undefined) this.view = view;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#unfollow = followUrl(this, "");
    addEventListener("hashchange", this.#onAddress);
    document.addEventListener(THEME_CHANGE, this.#onTheme);
    this.#media.addEventListener("change", this.#onWidth);
    void this.#begin();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unfollow?.();
    removeEventListener("hashchange", this.#onAddress);
    document.removeEventListener(THEME_CHANGE, this.#onTheme);
    this.#media.removeEventListener("change", this.#onWidth);
  }

  readonly #onTheme = (): void => {
    const theme = chosenTheme();
    this.theme = theme === "auto" ? undefined : theme;
  };

  readonly #onWidth = (): void => {
    this.isWide = this.#media.matches;
  };

  /** Shows what the address names, else the first document there is. */
  async #begin(): Promise<void> {
    const { document: wanted, compared } = readPlace(location.hash);
    // The views that are pictures come when the page stands.
    void import("../../src/elements/figures.ts");
    try {
      const outcome = await this.#library.begin(document.baseURI);
      this.#say(outcome.remarks.join(" "));
      const found = this.#library.find(wanted);
      // The address that the command prints names the first place, which may be a model.
      const wantsOpened = wanted === undefined || wanted.startsWith("opened-");
      if (outcome.model && !found && wantsOpened) return this.#showModel(outcome.model);
      const first = found ?? outcome.first ?? this.#library.documents.at(0);
      if (wanted !== undefined && first?.id !== wanted)
        this.#say("The document of this link is not here: it was a file or a run of yours. Open it again.");
      await this.#show(first?.id);
      if (this.#library.find(compared)) await this.#compare(compared);
    } catch (error) {
      this.#fail(error);
    }
  }

  readonly #onAddress = (): void => {
    const { document: id, compared } = readPlace(location.hash);
    if (id !== this.shown && this.#library.find(id)) void this.#show(id).then(() => this.#compare(compared));
    else if (compared !== this.compared) void this.#compare(compared);
  };

  /** Shows a document; only the last one that was asked for. What is wrong with it takes its place. */
  async #show(id: string | undefined, isNew = false): Promise<void> {
    const turn = ++this.#turns;
    const found = this.#library.find(id);
    if (!found) return;
    const isAgain = id === this.shown;
    // What runs anew at every keystroke keeps its place meanwhile, and what stands beside it.
    this.isBusy = !isAgain;
    Object.assign(this, {
      shown: id,
      opened: undefined,
      ...(!isAgain && { compared: undefined, other: undefined }),
    });
    if (isNew) {
      this.#store.set(FIRST_SELECTION);
      this.otherHead = undefined;
    }
    this.#writePlace();
    try {
      const model = modelOfTrace("studio", await found.read(), false);
      if (turn !== this.#turns) return;
      Object.assign(this, { model, failure: undefined, isBusy: false });
      if (isNew) this.view = firstView(model, this.view);
    } catch (error) {
      if (turn !== this.#turns) return;
      this.model = undefined;
      // Readers of files name themselves, which tells a reader of the page nothing.
      this.#fail(renamed(found.title, error));
    }
  }

  /** Puts a document beside the one that is shown; undefined takes it away. */
  async #compare(id: string | undefined): Promise<void> {
    const found = id === this.shown ? undefined : this.#library.find(id);
    const turn = this.#turns;
    try {
      const other = found && modelOfTrace("studio", await found.read(), true);
      if (turn !== this.#turns) return;
      Object.assign(this, { compared: found?.id, other });
    } catch (error) {
      Object.assign(this, { compared: undefined, other: undefined });
      this.#say(message(error));
    }
    this.#writePlace();
  }

  #showModel(opened: OpenedModel): void {
    this.#turns++;
    Object.assign(this, { opened, shown: undefined, model: undefined, failure: undefined, isBusy: false });
    void import("./model-card.ts");
    this.#writePlace();
  }

  #writePlace(): void {
    const { shown: document, compared, otherHead } = this;
    const fragment = writePlace(location.hash, { document, compared }, otherHead);
    if (fragment !== location.hash) history.replaceState(history.state, "", fragment);
  }

  #say(text: string): void {
    this.said = text;
  }

  #fail(error: unknown): void {
    Object.assign(this, { failure: message(error), isBusy: false });
  }

  async #open(name: string, files: readonly NamedFile[]): Promise<void> {
    if (files.length === 0) return this.#say("Nothing in it can be opened.");
    this.isBusy = true;
    try {
      this.#opened(await this.#library.open(name, files));
    } catch (error) {
      Object.assign(this, { model: undefined, opened: undefined, shown: undefined });
      this.#fail(error);
    }
  }

  #opened({ first, model, remarks }: Outcome): void {
    this.isBusy = false;
    this.#say(remarks.join(" "));
    if (first) void this.#show(first.id, true);
    else if (model) this.#showModel(model);
  }

  readonly #acts: ToolbarActs = {
    show: (id) => void this.#show(id, true),
    compare: (id) => {
      this.otherHead = undefined;
      void this.#compare(id);
    },
    open: (files) => {
      const [folder] = files[0]!.webkitRelativePath.split("/");
      void this.#open(folder || files[0]!.name, files.map(givenFile));
    },
    save: (format) => void this.#save(format),
    copyLink: () => void this.#copyLink(),
    live: () => void this.#live(!this.isLive),
  };

  async #save(format: Format): Promise<void> {
    const element = this.renderRoot.querySelector<HeedView>("heed-view")?.front;
    const trace = this.model?.trace;
    if (!element || !trace) return;
    try {
      const { save } = await import("./exports.ts");
      const view = element.localName.replace("heed-", "");
      this.#say(`Saved ${await save(format, { trace, view, state: this.state, element })}`);
    } catch (error) {
      this.#say(`Not saved: ${message(error)}`);
    }
  }

  async #copyLink(): Promise<void> {
    try {
      await navigator.clipboard.writeText(location.href);
      this.#say("The link is copied; it has no text of yours in it.");
    } catch {
      this.#say(`The browser does not let pages copy; the link is the page's address: ${location.href}`);
    }
  }

  async #live(isLive: boolean, files: readonly NamedFile[] = []): Promise<void> {
    this.isLive = isLive;
    if (!isLive) return;
    try {
      if (files.length > 0)
        this.#runs = await Promise.all(files.map(async (file) => new File([await file.blob()], file.name)));
      await loadLive();
      this.requestUpdate();
      await this.updateComplete;
      const models = this.renderRoot.querySelector<LitElement>("live-models");
      await models?.updateComplete;
      models?.focus();
    } catch (error) {
      this.#say(message(error));
    }
  }

  readonly #onTrace = (event: Event): void => {
    const { trace, name } = (event as CustomEvent<{ trace: Trace; name: string }>).detail;
    const isNew = this.shown !== LIVE;
    this.#library.setLive({ ...trace, name: trace.name ?? name }, name);
    void this.#show(LIVE, isNew);
  };

  readonly #onState = (event: Event): void => {
    const { palette, colorScale } = (event as CustomEvent<ElementState>).detail;
    if (palette !== undefined) this.palette = palette as Palette;
    if (colorScale !== undefined) this.colorScale = colorScale as ColorScale;
    const view = event.currentTarget as HeedView;
    this.view = view.tab;
    this.otherHead = view.other;
  };

  readonly #onCompare = (event: Event): void => {
    this.otherHead = (event.currentTarget as CompareDocuments).other;
  };

  readonly #onDrag = (event: DragEvent): void => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.isOver = event.type === "dragover";
  };

  readonly #onDrop = (event: DragEvent): void => {
    event.preventDefault();
    this.isOver = false;
    const { dataTransfer } = event;
    if (!dataTransfer) return;
    const dropped = import("./opening.ts").then(({ droppedFiles }) => droppedFiles(dataTransfer));
    void dropped.then(({ name, files }) => this.#open(name, files)).catch((error) => this.#fail(error));
  };

  protected override render(): TemplateResult {
    const { model, shown, compared, isLive, isWide } = this;
    const { documents } = this.#library;
    const about = this.#library.find(shown)?.about;
    const canSave = model?.trace !== undefined && this.other === undefined;
    const panels = model !== undefined && model.layers.length > 0;
    return html`<div class="app ${this.isOver ? "over" : ""}" @dragover=${this.#onDrag} @dragleave=${this.#onDrag} @drop=${this.#onDrop}>
      <h1 class="sr">Studio</h1>
      ${toolbarTemplate({ documents, shown, compared, canSave, isLive: hasLive ? isLive : undefined }, this.#acts)}
      <p class="status" role="status">${this.said === "" ? (about ?? "") : visible(this.said)}</p>
      ${this.#library.find(shown)?.group === "Shipped" && !isLive ? waysTemplate(this.#acts, hasLive) : nothing}
      ${isLive ? this.#livePart() : nothing}
      <div class="columns ${panels ? "" : "alone"}">
        ${panels ? html`<details class="side" ?open=${isWide}><summary>Heads</summary>${this.#heads(model)}</details>` : nothing}
        <section class="middle" aria-label="View" aria-busy=${this.isBusy}>${this.#middle()}</section>
        ${
          panels
            ? html`<details class="side" ?open=${isWide}><summary>Inspector</summary>
              <studio-inspector .model=${model} .store=${this.#store}></studio-inspector></details>`
            : nothing
        }
      </div>
      ${panels ? html`<section class="tokens" aria-label="Tokens"><token-strip .model=${model} .store=${this.#store}></token-strip></section>` : nothing}
      ${crossOriginIsolated ? nothing : html`<p class="muted">This page is not cross-origin isolated: models run on one thread.</p>`}
    </div>`;
  }

  #heads(model: Model): TemplateResult {
    const { palette, theme } = this;
    const isOne = model.layers.length === 1 && model.layers[0]!.H === 1;
    return html`<heed-grid ?hidden=${isOne} .linked=${model} .store=${this.#store} .palette=${palette} .theme=${theme} heading="Model" heading-level="2"></heed-grid>
      <h2>Measures</h2><head-list .model=${model} .store=${this.#store}></head-list>`;
  }

  #livePart(): TemplateResult {
    const bases = { base: new URL("weights/", document.baseURI).href };
    return html`<section class="live" aria-label="Live"><live-models models-base=${bases.base} .opened=${this.#runs} embedded
      @trace-change=${this.#onTrace}></live-models></section>`;
  }

  #middle(): TemplateResult {
    const { failure, opened, model, other, theme, palette, colorScale } = this;
    if (failure !== undefined)
      return html`<div class="failure" role="alert"><h2>This cannot be shown</h2><p>${visible(failure)}</p>
        <p class="muted">The studio opens traces (.attn), .npz, .npy, BertViz's JSON and CSV, and says what is in
          .safetensors, .gguf, .keras, .h5 and PyTorch files. Open another file, or choose a document above.</p></div>`;
    if (opened) {
      const run = () => void this.#live(true, opened.files);
      return html`<model-card .facts=${opened.facts} .canRun=${hasLive} @model-run=${run}></model-card>`;
    }
    if (!model)
      return html`<p class="muted">${this.isBusy ? "Loading…" : "Open a trace, or drop one here."}</p>`;
    if (other)
      return html`<compare-documents .a=${model} .b=${other} .store=${this.#store} .theme=${theme} .palette=${palette}
        .head=${this.otherHead} @heed-state=${this.#onCompare} a-name=${short(model.trace?.name ?? "A")} b-name=${short(other.trace?.name ?? "B")}></compare-documents>`;
    return html`<heed-view .linked=${model} .store=${this.#store} .tab=${this.view} .other=${this.otherHead} .palette=${palette} .colorScale=${colorScale}
      .theme=${theme} heading-level="2" @heed-state=${this.#onState}></heed-view>`;
  }
}

/** The view that a reader had, where the model has it; else the first thing worth a look. */
function firstView({ layers, trace }: Model, view: string): string {
  if (layers.length === 0) return (trace?.glimpses.length ?? 0) > 0 ? "glimpse" : "gates";
  const isForAll = ["heatmap", "flow"].includes(view);
  if (isForAll) return view;
  return layers[clamp(0, layers.length)]!.H > 1 && ["grid", "heads", "statistics"].includes(view)
    ? view
    : "heatmap";
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

customElements.define("studio-app", StudioApp);

declare global {
  interface HTMLElementTagNameMap {
    "studio-app": StudioApp;
  }
}
