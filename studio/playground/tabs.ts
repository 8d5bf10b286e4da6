import { css, html, LitElement, type TemplateResult } from "lit";

/** The pages of the playground. */
const TABS = [
  { name: "presets", title: "Step by step", address: "./playground.html" },
  { name: "mechanisms", title: "Every mechanism", address: "./playground-mechanisms.html" },
  { name: "score", title: "Your own score", address: "./playground-score.html" },
] as const;

/** `<playground-tabs current="score">`: the heading of the playground's pages, and the way between them. */
export class PlaygroundTabs extends LitElement {
  static override properties = { current: {} };
  static override styles = css`
    :host { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; align-items: baseline; margin-block: 0.25rem 0.9rem; border-block-end: 1px solid var(--heed-line); }
    h1 { font-size: 1.5rem; margin: 0; line-height: 1.3; }
    nav { display: flex; flex-wrap: wrap; gap: 0 1rem; }
    a { color: var(--heed-text); min-block-size: 34px; display: inline-flex; align-items: center; text-decoration: none; border-block-end: 3px solid transparent; }
    a:hover { text-decoration: underline; }
    a[aria-current="page"] { font-weight: 600; border-color: currentColor; }
    a:focus-visible { outline: 3px solid var(--heed-focus); outline-offset: 1px; }
  `;

  declare current: string | undefined;

  override render(): TemplateResult {
    return html`<h1>Playground</h1><nav aria-label="Playground">${TABS.map(
      ({ name, title, address }) =>
        html`<a href=${address} aria-current=${name === this.current ? "page" : "false"}>${title}</a>`,
    )}</nav>`;
  }
}

customElements.define("playground-tabs", PlaygroundTabs);
