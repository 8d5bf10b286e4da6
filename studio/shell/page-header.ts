import { css, html, LitElement, nothing } from "lit";
import { isServedByHeed, keepPages } from "../offline/register.ts";
import { chooseTheme, chosenTheme, colorPage, THEMES, type Theme } from "./theme.ts";

/** The pages, in the order of the header; the address is relative to any of them. */
const PAGES = [
  { name: "studio", title: "Studio", address: "./index.html" },
  { name: "live", title: "Live", address: "./live.html" },
  { name: "playground", title: "Playground", address: "./playground.html" },
  { name: "learn", title: "Learn", address: "./learn.html" },
] as const;

type PageName = (typeof PAGES)[number]["name"];

/** The header of every page: where the reader is, where else to go, and the colours. A link past it comes first. */
export class PageHeader extends LitElement {
  static override properties = { current: {}, theme: { state: true }, newer: { state: true } };
  static override styles = css`
    :host { display: block; border-block-end: 1px solid var(--heed-line); }
    header { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; align-items: center; max-inline-size: 110rem; margin-inline: auto; padding: 0.25rem 1rem; }
    strong { font-size: 1.15rem; letter-spacing: 0.02em; }
    nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; }
    a { color: var(--heed-text); min-block-size: 28px; display: inline-flex; align-items: center; text-decoration: none; border-block-end: 3px solid transparent; }
    a:hover { text-decoration: underline; }
    a[aria-current="page"] { font-weight: 600; border-color: currentColor; }
    a:focus-visible { outline: 3px solid var(--heed-focus); outline-offset: 1px; }
    label { margin-inline-start: auto; color: var(--heed-muted); font-size: 13px; }
    select { font: inherit; color: var(--heed-text); background: var(--heed-raised); border: 1px solid var(--heed-line); border-radius: 4px; min-block-size: 28px; }
    select:focus-visible { outline: 3px solid var(--heed-focus); outline-offset: 1px; }
    .skip { position: absolute; inset-block-start: -4rem; background: var(--heed-background); padding: 0.25rem 0.5rem; }
    .skip:focus { inset-block-start: 0; z-index: 1; }
    .newer { margin: 0; padding: 0.25rem 1rem; border-block-start: 1px solid var(--heed-line); background: var(--heed-raised); font-size: 14px; }
    .newer:empty { display: none; }
    button { font: inherit; color: var(--heed-text); background: var(--heed-background); border: 1px solid var(--heed-line); border-radius: 4px; min-block-size: 28px; }
    button:focus-visible { outline: 3px solid var(--heed-focus); outline-offset: 1px; }
    @media (forced-colors: active) {
      a { border-color: Canvas; }
      a[aria-current="page"] { border-color: currentColor; }
      :is(a, select, button):focus-visible { outline-color: Highlight; }
    }
  `;

  declare current: PageName | undefined;
  declare theme: Theme;
  /** Loads a newer version of the pages, once there is one. */
  declare newer: (() => void) | undefined;

  constructor() {
    super();
    this.theme = chosenTheme();
    void keepPages((load) => {
      // Those of `heed studio` come from its server, the newest first.
      if (!isServedByHeed()) this.newer = load;
    });
    if (this.theme !== "auto") colorPage(this.theme);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("storage", this.#onOther);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("storage", this.#onOther);
  }

  /** Another tab of the studio was given other colours. */
  readonly #onOther = (): void => {
    const theme = chosenTheme();
    if (theme === this.theme) return;
    this.theme = theme;
    colorPage(theme);
  };

  readonly #onTheme = (event: Event): void => {
    this.theme = (event.target as HTMLSelectElement).value as Theme;
    chooseTheme(this.theme);
  };

  override render() {
    return html`
      <header>
        <a class="skip" href="#main">Skip to the content</a>
        <strong>heed</strong>
        <nav aria-label="Pages">
          ${PAGES.map(
            ({ name, title, address }) =>
              html`<a href=${address} aria-current=${name === this.current ? "page" : nothing}>${title}</a>`,
          )}
        </nav>
        <slot></slot>
        <label>Colours <select .value=${this.theme} @change=${this.#onTheme}>
          ${THEMES.map((theme) => html`<option value=${theme} ?selected=${theme === this.theme}>${theme}</option>`)}
        </select></label>
      </header>
      <div class="newer" role="status">${
        this.newer
          ? html`A newer version of these pages has come. <button type="button" @click=${this.newer}>Load it</button>`
          : nothing
      }</div>
    `;
  }
}

customElements.define("page-header", PageHeader);

declare global {
  interface HTMLElementTagNameMap {
    "page-header": PageHeader;
  }
}
