import { css, html, nothing, type TemplateResult } from "lit";
import { Memo } from "../../src/elements/parts/memo.ts";
import { short } from "../../src/elements/parts/sentences.ts";
import { type Cells, VALUE } from "../../src/inspect/cells.ts";
import { StudioPart } from "./part.ts";
import { parts } from "./styles.ts";

/** Longer texts are shown around the selected token. */
const MOST = 160;

/** `<token-strip>`: the tokens; a tap chooses the query. Under each key stands how much the query gives it. */
export class TokenStrip extends StudioPart {
  static override styles = [
    parts,
    css`
      .line { display: flex; gap: 0.75rem; align-items: baseline; margin-block: 0.2rem; }
      .label { flex: none; inline-size: 4.5rem; color: var(--heed-muted); }
      [role="listbox"] { position: relative; display: flex; flex-wrap: wrap; gap: 2px; max-block-size: 7.5rem; overflow: auto; min-inline-size: 0; }
      [role="option"] { position: relative; padding: 0.1rem 0.35rem 0.35rem; min-block-size: 26px; min-inline-size: 24px; text-align: center; border-radius: 3px; line-height: 1.4; cursor: pointer; white-space: pre; max-inline-size: 14rem; overflow: hidden; text-overflow: ellipsis; background: var(--heed-raised); }
      [role="option"][aria-selected="true"] { font-weight: 600; outline: 2px solid currentColor; outline-offset: -2px; }
      [role="listbox"]:focus-visible [role="option"][aria-selected="true"] { outline: 3px solid var(--heed-focus); }
      .mass { position: absolute; inset-inline-start: 0; inset-block-end: 0; block-size: 4px; background: var(--heed-focus); }
      @media (min-width: 1100px) { [role="listbox"] { max-block-size: 3.75rem; } }
      @media (max-width: 640px) { .line { display: block; } }
      @media (forced-colors: active) { .mass { background: Highlight; forced-color-adjust: none; } }
    `,
  ];
  readonly #row = new Memo<Cells>();

  protected override render(): TemplateResult {
    const { place } = this;
    if (!place) return html``;
    const { shown, head, query, key } = place;
    const cells = this.#row.get([shown, head, query], () => shown.map.row(head, query));
    return html`
      ${this.#line("Queries", shown.rowTokens, query, (to) => this.select({ query: to }))}
      ${this.#line("Keys", shown.columnTokens, key, (to) => this.select({ key: to }), cells)}`;
  }

  /** Scrolls the lists, and the lists alone, to what is selected. */
  protected override updated(): void {
    for (const list of this.renderRoot.querySelectorAll<HTMLElement>('[role="listbox"]')) {
      const chosen = list.querySelector<HTMLElement>('[aria-selected="true"]');
      if (!chosen) continue;
      const [top, end] = [chosen.offsetTop, chosen.offsetTop + chosen.offsetHeight];
      if (top < list.scrollTop) list.scrollTop = top;
      else if (end > list.scrollTop + list.clientHeight) list.scrollTop = end - list.clientHeight;
    }
  }

  #line(
    label: string,
    tokens: readonly string[],
    at: number,
    choose: (to: number) => void,
    cells?: Cells,
  ): TemplateResult {
    const from = Math.max(0, Math.min(at - MOST / 2, tokens.length - MOST));
    const shown = tokens.slice(from, from + MOST);
    const part =
      shown.length < tokens.length
        ? html`<span class="muted">${from}–${from + shown.length - 1} of ${tokens.length}</span>`
        : nothing;
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const places: Record<string, number> = {
        ArrowRight: at + 1,
        ArrowLeft: at - 1,
        Home: 0,
        End: tokens.length - 1,
      };
      const to = places[event.key];
      if (to === undefined) return;
      event.preventDefault();
      choose(Math.max(0, Math.min(tokens.length - 1, to)));
    };
    const id = (n: number) => `${label}-${from + n}`;
    return html`<div class="line"><span class="label" id=${label}>${label} ${part}</span>
      <div role="listbox" tabindex="0" aria-labelledby=${label} aria-orientation="horizontal" aria-activedescendant=${id(at - from)} @keydown=${onKey}>
        ${shown.map((token, n) => {
          const s = from + n;
          const weight = cells && cells.kinds[s] === VALUE ? Math.max(0, Math.min(1, cells.values[s]!)) : 0;
          return html`<div role="option" id=${id(n)} aria-selected=${s === at} @click=${() => choose(s)}>${short(token)}${
            weight > 0
              ? html`<span class="mass" style=${`inline-size:${(100 * weight).toFixed(1)}%`}></span>`
              : nothing
          }</div>`;
        })}
      </div></div>`;
  }
}

customElements.define("token-strip", TokenStrip);

declare global {
  interface HTMLElementTagNameMap {
    "token-strip": TokenStrip;
  }
}
