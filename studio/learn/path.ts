import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { controls } from "../parts/styles.ts";
import { AFTER, CHAPTERS, forgetSteps, keepStep, MORE, readSteps } from "./chapters.ts";

/**
 * `<learn-path page="learn">` around a chapter's `<section id="…">`s: shows one step at a time, with the way to all others. Without
 * a script the sections stand one below the other, to read.
 */
export class LearnPath extends LitElement {
  static override properties = { page: {}, step: { state: true } };
  static override styles = [
    controls,
    css`
      .page { display: grid; grid-template-columns: 16rem minmax(0, 1fr); gap: 2rem; align-items: start; }
      nav { position: sticky; inset-block-start: 0.5rem; font-size: 0.95rem; }
      ol { list-style: none; margin: 0.2rem 0 0.6rem; padding: 0; }
      nav a { display: flex; gap: 0.45rem; align-items: baseline; min-block-size: 28px; padding: 0.15rem 0.4rem; border-radius: 5px; color: var(--heed-text); text-decoration: none; }
      nav a:hover { text-decoration: underline; }
      ol ol { margin-inline-start: 0.4rem; border-inline-start: 2px solid color-mix(in srgb, var(--heed-line) 50%, transparent); padding-inline-start: 0.4rem; }
      nav a[aria-current="step"] { background: var(--heed-raised); font-weight: 600; box-shadow: inset 4px 0 currentColor; }
      nav .chapter { font-weight: 600; }
      .mark { color: light-dark(#1b6e2d, #8fd19e); min-inline-size: 1em; }
      .count { color: var(--heed-muted); margin: 0 0 0.4rem; }
      .ways { display: flex; flex-wrap: wrap; gap: 0.6rem; margin-block: 1.5rem; align-items: center; }
      .ways a { display: inline-flex; align-items: center; min-block-size: 40px; padding: 0 1rem; border: 1px solid var(--heed-line); border-radius: 6px; color: var(--heed-text); text-decoration: none; }
      .ways a.next { background: light-dark(#0b57d0, #8ab4f8); color: light-dark(#fff, #121212); border-color: transparent; font-weight: 600; }
      .ways a:hover { text-decoration: underline; }
      details.narrow { display: none; border: 1px solid var(--heed-line); border-radius: 6px; padding: 0.3rem 0.6rem; margin-block-end: 0.75rem; }
      summary { min-block-size: 28px; cursor: pointer; }
      @media (max-width: 56rem) {
        .page { grid-template-columns: minmax(0, 1fr); gap: 0; }
        nav.wide { display: none; }
        details.narrow { display: block; }
      }
    `,
  ];

  declare page: string;
  /** The step that is shown, by the id of its section. */
  declare step: string;

  constructor() {
    super();
    this.page = "learn";
    this.step = "";
  }

  get #sections(): HTMLElement[] {
    return [...this.querySelectorAll<HTMLElement>(":scope > section[id]")];
  }

  readonly #onHash = (): void => {
    const wanted = location.hash.replace(/^#/, "");
    const sections = this.#sections;
    const found = sections.find(({ id }) => id === wanted) ?? sections[0];
    if (!found) return;
    const isFirst = this.step === "";
    this.step = found.id;
    for (const section of sections) section.hidden = section !== found;
    keepStep(`${this.page}#${found.id}`);
    if (isFirst && wanted === "") return;
    const heading = found.querySelector<HTMLElement>("h2");
    heading?.setAttribute("tabindex", "-1");
    heading?.focus({ preventScroll: true });
    if (!isFirst) globalThis.scrollTo({ top: 0 });
  };

  override connectedCallback(): void {
    super.connectedCallback();
    globalThis.addEventListener("hashchange", this.#onHash);
    this.#onHash();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    globalThis.removeEventListener("hashchange", this.#onHash);
  }

  override render(): TemplateResult {
    return html`<div class="page"><nav class="wide" aria-label="Steps">${this.#contents()}</nav><div>
      <details class="narrow"><summary>All steps</summary><nav aria-label="All steps">${this.#contents()}</nav></details>
      <slot></slot>${this.#ways()}</div></div>`;
  }

  #contents(): TemplateResult {
    const read = readSteps();
    const mark = (step: string) =>
      html`<span class="mark">${read.has(step) ? html`<span aria-hidden="true">✓</span>` : nothing}</span>`;
    return html`<p class="count">${read.size} ${read.size === 1 ? "step" : "steps"} read <button type="button" @click=${() => {
      forgetSteps();
      this.requestUpdate();
    }}>Begin anew</button></p>
    <ol>${CHAPTERS.map(
      ({ page, title }, n) =>
        html`<li><a class="chapter" href=${`./${page}.html`}>${n + 1}. ${title}</a>${
          page === this.page
            ? html`<ol>${this.#sections.map(
                ({ id, firstElementChild }) =>
                  html`<li><a href=${`#${id}`} aria-current=${id === this.step ? "step" : nothing}>${mark(
                    `${page}#${id}`,
                  )}${firstElementChild?.textContent ?? id}</a></li>`,
              )}</ol>`
            : nothing
        }</li>`,
    )}${MORE.map(({ page, title }) => html`<li><a href=${`./${page}.html`}>${title}</a></li>`)}</ol>`;
  }

  #ways(): TemplateResult {
    const ids = this.#sections.map(({ id }) => id);
    const at = ids.indexOf(this.step);
    const chapter = CHAPTERS.findIndex(({ page }) => page === this.page);
    const [before, after] = [CHAPTERS[chapter - 1], CHAPTERS[chapter + 1] ?? AFTER];
    const previous = at > 0 ? `#${ids[at - 1]}` : before && `./${before.page}.html`;
    const next = at < ids.length - 1 ? `#${ids[at + 1]}` : `./${after.page}.html`;
    return html`<div class="ways">${previous ? html`<a href=${previous}>← Back</a>` : nothing}<a class="next" href=${next}>${next.startsWith("#") ? "Next step" : `Next: ${after.title}`} →</a><span class="muted">Step ${at + 1} of ${ids.length}</span></div>`;
  }
}

customElements.define("learn-path", LearnPath);

declare global {
  interface HTMLElementTagNameMap {
    "learn-path": LearnPath;
  }
}
