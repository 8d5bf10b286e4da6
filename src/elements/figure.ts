import { css, html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import type { Trace } from "../inspect/trace/trace.ts";
import { drawView } from "../views/draw-trace.ts";
import { type DrawOptions, THROUGH, type Through, VIEWS, type View } from "../views/options.ts";
import { MOST_HEADS } from "../viz/head-view.ts";
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
import type { ElementState } from "./url-state.ts";

/** The views in which a reader chooses one head, one layer, or a query. */
const OF_A_HEAD: readonly string[] = ["heatmap", "flow", "neuron", "image"];
const OF_A_LAYER: readonly string[] = [...OF_A_HEAD, "heads"];
const OF_A_QUERY: readonly string[] = ["neuron"];
const OF_A_STEP: readonly string[] = ["glimpse", "marginals"];
/** Those whose colours can follow weights in several ways. */
const OF_A_SCALE: readonly string[] = ["heatmap", "rollout"];
/** Smaller than this share of its size a picture cannot be read; it scrolls instead. */
const LEAST_SCALE = 0.65;

const TITLES: Readonly<Record<View, string>> = {
  heatmap: "Attention weights",
  flow: "Attention flow",
  heads: "Heads, one over the other",
  grid: "All heads",
  neuron: "Neurons: query times key",
  statistics: "What each head does",
  compare: "Two heads and their difference",
  rollout: "Attention rollout",
  image: "Attention over the image",
  glimpse: "Glimpses",
  marginals: "Rows and columns of a glimpse",
  gates: "Gates",
};

/**
 * `<heed-figure>`: any view of a trace as the picture that `drawTrace` gives, with lists to choose what it shows.
 *
 *     <heed-figure src="trace.attn" view="neuron" layer="1" head="3"></heed-figure>
 *
 * `<heed-heads>`, `<heed-neuron>`, `<heed-statistics>`, `<heed-rollout>`, `<heed-glimpse>`, `<heed-marginals>` and `<heed-gates>` are figures
 * of one view. A view that the trace has no data for says what is missing. `exportSvg()` gives the picture's text.
 * Events: `heed-select`, `heed-state`, `heed-error`.
 */
export class HeedFigure extends HeedElement {
  static override properties: PropertyDeclarations = {
    shown: { attribute: "view", reflect: true },
    through: { reflect: true },
    step: { type: Number },
    heads: { attribute: false },
    said: { state: true },
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
  declare said: string;
  /** The view of a subclass that has only one. */
  static readonly only: View | undefined = undefined;
  #drawn: readonly unknown[] = [];
  #svg = "";
  readonly #player = new Player(this, () => OF_A_STEP.includes(this.shown) && this.#next());

  constructor() {
    super();
    this.shown = (this.constructor as typeof HeedFigure).only ?? "heatmap";
    this.through = "rollout";
    this.said = "";
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
    if (state.view !== undefined) this.shown = state.view;
  }

  /** The picture as an SVG document, in the colours of the page. */
  async exportSvg(): Promise<string> {
    await this.updateComplete;
    return this.#svg;
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
    const hasSteps = OF_A_STEP.includes(this.shown) && glimpses > 1;
    return html`<figure aria-labelledby="title">
      ${this.caption(TITLES[this.shown as View] ?? "Attention")}
      <div class="bar">
        ${only ? nothing : listTemplate("View", VIEWS, VIEWS.indexOf(this.shown as View), choose)}
        ${hasLayers ? this.choices(model, OF_A_LAYER.includes(this.shown), OF_A_HEAD.includes(this.shown)) : nothing}
        ${
          hasLayers && OF_A_QUERY.includes(this.shown)
            ? listTemplate("Query", tokens(), query, (t) => this.select({ query: t }))
            : nothing
        }
        ${hasLayers && this.shown === "rollout" ? listTemplate("Through", THROUGH, THROUGH.indexOf(this.through as Through), through) : nothing}
        ${OF_A_SCALE.includes(this.shown) ? this.scaleList() : nothing}
        ${hasSteps ? this.#steps(glimpses) : nothing}
        <button type="button" @click=${() => void save()} ?disabled=${this.said !== ""}>Save SVG</button>
      </div>
      ${
        hasLayers && this.shown === "heads" && this.current.H > 1
          ? headToggles(this.current.H, this.#overlaid, (heads) => {
              this.heads = heads;
            })
          : nothing
      }
      ${this.said === "" ? nothing : html`<div class="failure" role="alert"><p>${visible(this.said)}</p></div>`}
      <div class="figure" role="group" aria-label="Picture" tabindex="0" @keydown=${hasSteps ? this.#onKey : nothing} ?hidden=${this.said !== ""}></div>
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
      this.shown === "glimpse" ? "all" : "first",
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

  /** Draws what has changed. A view that this trace cannot give is a sentence, and the lists stay. */
  protected override updated(): void {
    const trace = this.model?.trace;
    const place = this.renderRoot.querySelector(".figure");
    if (!trace || !place) return;
    const options = this.#options(trace);
    const wanted = [trace, place, JSON.stringify(options)];
    if (isSame(wanted, this.#drawn)) return;
    this.#drawn = wanted;
    this.said = "";
    try {
      this.#svg = drawView(this.op, trace, options);
      // Parsed as XML, which runs nothing and drops nothing: the text has no markup but that of the drawing.
      const parsed = new DOMParser().parseFromString(this.#svg, "image/svg+xml").documentElement;
      const picture = document.importNode(parsed, true);
      picture.style.minInlineSize = `${LEAST_SCALE * Number.parseFloat(picture.getAttribute("width")!)}px`;
      place.replaceChildren(picture);
      this.setAttribute("data-ready", "");
    } catch (error) {
      this.said = error instanceof Error ? error.message : String(error);
      place.replaceChildren();
      this.send("heed-error", { error, message: this.said });
    }
  }

  /** What the picture is drawn by: of all that is chosen, what this view has a use for. */
  #options({ layers }: Trace): DrawOptions {
    const { shown, step } = this;
    const { layer, head, query } = this.selection;
    return {
      ...{ view: shown as View, palette: this.colors, title: "" },
      theme: this.pageColors() === DARK ? "dark" : "light",
      ...(OF_A_LAYER.includes(shown) &&
        layers.length > 0 && { layer, head: shown === "heads" ? this.#overlaid : head }),
      ...(OF_A_QUERY.includes(shown) && { query }),
      ...(OF_A_SCALE.includes(shown) && { colorScale: this.scale }),
      ...(shown === "rollout" && { through: this.through as Through }),
      ...(OF_A_STEP.includes(shown) && step !== undefined && { step }),
    };
  }
}
