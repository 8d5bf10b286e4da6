import { css, html, LitElement, nothing } from "lit";

/** The pages, in the order of the header; the address is relative to any of them. */
const PAGES = [
  { name: "studio", title: "Studio", address: "./index.html" },
  { name: "playground", title: "Playground", address: "./playground.html" },
  { name: "learn", title: "Learn", address: "./learn.html" },
] as const;

type PageName = (typeof PAGES)[number]["name"];

/** The header of every page: where the reader is, and where else to go. A link past it comes first. */
export class PageHeader extends LitElement {
  static override properties = { current: {} };
  static override styles = css`
    :host { display: block; border-block-end: 1px solid var(--heed-line); }
    header { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; align-items: center; max-inline-size: 90rem; margin-inline: auto; padding: 0.5rem 1rem; }
    strong { font-size: 1.15rem; letter-spacing: 0.02em; }
    nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; }
    a { color: var(--heed-text); min-block-size: 28px; display: inline-flex; align-items: center; text-decoration: none; border-block-end: 3px solid transparent; }
    a:hover { text-decoration: underline; }
    a[aria-current="page"] { font-weight: 600; border-color: currentColor; }
    a:focus-visible { outline: 3px solid var(--heed-focus); outline-offset: 1px; }
    .skip { position: absolute; inset-block-start: -4rem; background: var(--heed-background); padding: 0.25rem 0.5rem; }
    .skip:focus { inset-block-start: 0; z-index: 1; }
  `;

  declare current: PageName | undefined;

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
      </header>
    `;
  }
}

customElements.define("page-header", PageHeader);

declare global {
  interface HTMLElementTagNameMap {
    "page-header": PageHeader;
  }
}
