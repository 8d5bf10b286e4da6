import { css, html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import type { Trace } from "../inspect/trace/trace.ts";
import { type DrawOptions, drawSteps } from "../views/draw-trace.ts";
import { RECORDS, recordOf, VIEWS, type View } from "../views/list.ts";
import { renamed } from "../views/named.ts";
import { THROUGH, type Through } from "../views/options.ts";
import { type Choice, isFor } from "../views/view.ts";
import { MOST_HEADS } from "../viz/heads.ts";
import { DARK } from "../viz/svg/theme.ts";
import { visible } from "../viz/text.ts";
import { HeedElement } from "./element.ts";
import { headToggles } from "./figure/head-toggles.ts";
import type { Model } from "./model.ts";
import { listTemplate } from "./parts/list.ts";
import { isSame } from "./parts/memo.ts";
import { Player } from "./parts/player.ts";
import { download } from "./parts/save.ts";
import { short } from "./parts/sentences.ts";
import { advance, TURN_MS } from "./parts/turn.ts";
import { TABS, type Tab } from "./tabs.ts";
import type { ElementState } from "./url-state.ts";

/** Smaller than this share of its size a picture cannot be read; it scrolls instead. */
const LEAST_SCALE = 0.65;
/** In narrower places a table of many columns goes on below. */
const NARROW = 520;

/**
 * `<heed-figure>`: any view of a trace as the picture that `drawTrace` gives, with lists to choose what it shows.
 *
 *     <heed-figure src="trace.attn" view="neuron" layer="1" head="3"></heed-figure>
 *
 * `<heed-heads>`, `<heed-neuron>`, `<heed-statistics>` and so on are figures of one view. A view that the trace has no data for says what is missing. `exportSvg()` gives the picture's text.
 * Events: `heed-select`, `heed-state`, `heed-error`.
 */
export class HeedFigure extends HeedElement {
  static override properties: PropertyDeclarations = {
    shown: { attribute: "view", reflect: true },
    through: { reflect: true },
    step: { type: Number },
    heads: { attribute: false },
    message: { state: true },
    isDrawing: { state: true },
    isNarrow: { state: true },
  };
  static override styles = [
    HeedElement.styles,
    css`:host { max-inline-size: 72rem; }
    .heads label { display: inline-flex; align-items: center; gap: 0.2rem; min-block-size: 24px; }
    .heads input { inline-size: 18px; block-size: 18px; }
    .figure { overflow-x: auto; }
    .figure svg { display: block; max-inline-size: 100%; block-size: auto; }`,
  ];
  /** One of `VIEWS` of heed/views. @default "heatmap" */
  declare shown: string;
  /** How the view rollout joins layers: one of `THROUGH` of heed/views. @default "rollout" */
  declare through: string;
  /** The glimpse of the view glimpse, counted from 0; undefined for all of them, up to eight. */
  declare step: number | undefined;
  /** The heads of the view heads, up to eight; undefined for the first ones. */
  declare heads: readonly number[] | undefined;
  /** Why there is no picture. */
  declare message: string;
  /** Whether the picture is still being made. */
  declare isDrawing: boolean;
  declare isNarrow: boolean;
  /** The view of a subclass that has only one. */
  static readonly only: string | undefined = undefined;
  /** The views that no other element shows, as `<heed-view>` lists them. */
  static readonly tabs: readonly Tab[] = RECORDS.filter(
    ({ name }) => !TABS.some((tab) => tab.name === name),
  ).map((record) => ({
    name: record.name,
    label: record.label,
    has: ({ trace }) => trace !== undefined && isFor(record, trace),
  }));
  #drawn: readonly unknown[] = [];
  #svg = "";
  #observer: ResizeObserver | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #player = new Player(this, () => this.#hasSteps && this.#next());

  constructor() {
    super();
    this.shown = (this.constructor as typeof HeedFigure).only ?? "heatmap";
    this.through = "rollout";
    this.message = "";
    this.isDrawing = false;
    this.isNarrow = false;
  }

  protected override loaded(_model: Model): void {
    this.#player.stop();
  }

  protected override get needsLayers(): boolean {
    return false;
  }

  override get state(): ElementState {
    return { ...super.state, view: this.shown };
  }
  override set state(state: Partial<ElementState>) {
    super.state = state;
    if (state?.view !== undefined) this.shown = state.view;
  }

  /** The picture as an SVG document, in the colours of the page. */
  async exportSvg(): Promise<string> {
    await this.updateComplete;
    while (this.isDrawing) await new Promise((turn) => setTimeout(turn, TURN_MS));
    return this.#svg;
  }

  #chooses(choice: Choice): boolean {
    return recordOf(this.shown)?.chooses.includes(choice) ?? false;
  }

  get #hasSteps(): boolean {
    return this.#chooses("step") || this.#chooses("steps");
  }

  protected override view(model: Model): TemplateResult {
    const { only } = this.constructor as typeof HeedFigure;
    const hasLayers = model.layers.length > 0;
    const { query } = this.selection;
    const choose = (n: number) => {
      this.shown = VIEWS[n]!;
      this.sendState();
    };
    const through = (n: number) => {
      this.through = THROUGH[n]!;
    };
    const tokens = () => {
      const { rowTokens } = this.current;
      return rowTokens.map((token, t) => `${t} ${short(token)}`);
    };
    const save = async () =>
      download(new Blob([await this.exportSvg()], { type: "image/svg+xml" }), `heed-${this.shown}.svg`);
    const glimpses = model.trace?.glimpses.length ?? 0;
    const hasSteps = this.#hasSteps && glimpses > 1;
    return html`<figure aria-labelledby="title">
      ${this.caption(recordOf(this.shown)?.title ?? "Attention")}
      <div class="bar">
        ${only ? nothing : listTemplate("View", VIEWS, VIEWS.indexOf(this.shown as View), choose)}
        ${hasLayers ? this.choices(model, this.#chooses("layer"), this.#chooses("head")) : nothing}
        ${
          hasLayers && this.#chooses("query")
            ? listTemplate("Query", tokens(), query, (t) => this.select({ query: t }))
            : nothing
        }
        ${hasLayers && this.#chooses("through") ? listTemplate("Through", THROUGH, THROUGH.indexOf(this.through as Through), through) : nothing}
        ${this.#chooses("scale") ? this.scaleList() : nothing}
        ${hasSteps ? this.#steps(glimpses) : nothing}
        <button type="button" @click=${() => void save()} ?disabled=${this.message !== ""}>Save SVG</button>
      </div>
      ${
        hasLayers && this.#chooses("heads") && this.current.H > 1
          ? headToggles(this.current.H, this.#overlaid, (heads) => {
              this.heads = heads;
            })
          : nothing
      }
      ${this.message === "" ? nothing : html`<div class="failure" role="alert"><p>${visible(this.message)}</p></div>`}
      ${this.isDrawing ? html`<p class="muted" role="status">Drawing…</p>` : nothing}
      <div class="figure" role="group" aria-label="Picture" tabindex="0" @keydown=${hasSteps ? this.#onKey : nothing} ?hidden=${this.message !== ""}></div>
    </figure>`;
  }

  /** The heads of the view heads that this layer has. */
  get #overlaid(): readonly number[] {
    const { H } = this.current;
    const chosen = this.heads?.filter((head) => head < H) ?? [];
    return chosen.length > 0 ? chosen : Array.from({ length: Math.min(H, MOST_HEADS) }, (_, h) => h);
  }

  /** What steps through the glimpses. */
  #steps(count: number): TemplateResult {
    const { step } = this;
    const names = [
      this.#chooses("steps") ? "all" : "first",
      ...Array.from({ length: count }, (_, n) => String(n)),
    ];
    const go = (to: number | undefined) => {
      this.step = to;
    };
    return html`${listTemplate("Step", names, step === undefined ? 0 : step + 1, (n) => go(n === 0 ? undefined : n - 1))}
      <button type="button" ?disabled=${!step} @click=${() => go(step! - 1)}>Previous step</button>
      <button type="button" ?disabled=${step === count - 1} @click=${() => this.#next()}>Next step</button>
      <button type="button" @click=${this.#player.toggle}>${this.#player.label}</button>`;
  }

  /** Goes to the next glimpse, after the last one to the first; says whether there is another one. */
  #next(): boolean {
    const { length } = this.model!.trace!.glimpses;
    this.step = ((this.step ?? -1) + 1) % length;
    return this.step < length - 1;
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    const acts: Record<string, () => void> = {
      ".": () => this.#next(),
      ",": () => {
        this.step = Math.max(0, (this.step ?? 0) - 1);
      },
      p: this.#player.toggle,
    };
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };

  protected override restyled(): void {
    this.#drawn = [];
    super.restyled();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#observer = new ResizeObserver(([entry]) =>
      requestAnimationFrame(() => {
        this.isNarrow = entry!.contentRect.width < NARROW;
      }),
    );
    this.#observer.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#observer?.disconnect();
    clearTimeout(this.#timer);
    this.#drawn = [];
  }

  /** Draws what has changed. A view that this trace cannot give is a sentence, and the lists stay. */
  protected override updated(): void {
    const trace = this.model?.trace;
    const place = this.renderRoot.querySelector(".figure");
    if (!trace || !place) return;
    const options = this.#options(trace);
    const wanted = [trace, place, JSON.stringify(options)];
    if (isSame(wanted, this.#drawn)) return;
    this.#drawn = wanted;
    this.message = "";
    clearTimeout(this.#timer);
    this.#work(drawSteps(trace, options), place);
  }

  /** Goes on with a picture for a while, and again when the page has had its turn. */
  #work(steps: ReturnType<typeof drawSteps>, place: Element): void {
    try {
      const { done, value } = advance(steps, performance.now() + TURN_MS);
      if (done) {
        this.#show(value, place);
        return;
      }
      this.isDrawing = true;
      this.ready(false);
      this.#timer = setTimeout(() => this.#work(steps, place));
    } catch (error) {
      const own = renamed(this.op, error);
      this.isDrawing = false;
      this.message = own instanceof Error ? own.message : String(own);
      place.replaceChildren();
      this.send("heed-error", { error: own, message: this.message });
    }
  }

  #show(svg: string, place: Element): void {
    this.#svg = svg;
    this.isDrawing = false;
    // Parsed as XML, which runs nothing and drops nothing: the text has no markup but that of the drawing.
    const parsed = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
    const picture = document.importNode(parsed, true);
    picture.style.minInlineSize = `${LEAST_SCALE * Number.parseFloat(picture.getAttribute("width")!)}px`;
    place.replaceChildren(picture);
    this.ready(true);
  }

  /** What the picture is drawn by: of all that is chosen, what this view has a use for. */
  #options({ layers }: Trace): DrawOptions {
    const { shown, step } = this;
    const { layer, head, query } = this.selection;
    const chooses = (choice: Choice) => this.#chooses(choice);
    return {
      view: shown as View,
      palette: this.colors,
      title: "",
      theme: this.pageColors() === DARK ? "dark" : "light",
      ...(chooses("layer") && layers.length > 0 && { layer, head: chooses("heads") ? this.#overlaid : head }),
      ...(chooses("query") && { query }),
      ...(chooses("scale") && { colorScale: this.scale }),
      ...(chooses("through") && { through: this.through as Through }),
      ...(this.#hasSteps && step !== undefined && { step }),
      ...(chooses("width") && this.isNarrow && { width: NARROW }),
    };
  }
}
