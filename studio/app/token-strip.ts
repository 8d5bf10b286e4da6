import { css, html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { Memo } from "../../src/elements/parts/memo.ts";
import { rovingStep } from "../../src/elements/parts/roving.ts";
import { short } from "../../src/elements/parts/sentences.ts";
import { type Cells, VALUE } from "../../src/inspect/cells.ts";
import { wordMap } from "../../src/inspect/word-map.ts";
import { StudioPart } from "./part.ts";
import { FIRST_STRIP, readStrip, type StripState, writeStrip } from "./strip-state.ts";
import { parts } from "./styles.ts";
import { type MassFacts, massOf, type TokenUnit, unitsOf, wordsOf } from "./token-units.ts";

/** Longer texts are shown around the selected token. */
const MOST = 160;

/** What the keys of a query hold. */
interface Held extends MassFacts {
  readonly cells: Cells;
}

/**
 * `<token-strip>`: the tokens, or whole words; a tap chooses the query. Under each key stands how much the query gives it; the
 * keys that together hold a share of its weight, 70 % at first, have it in numbers.
 */
export class TokenStrip extends StudioPart {
  static override properties: PropertyDeclarations = { strip: { state: true } };
  static override styles = [
    parts,
    css`
      .line { display: flex; gap: 0.75rem; align-items: baseline; margin-block: 0.2rem; }
      .label { flex: none; inline-size: 4.5rem; color: var(--heed-muted); }
      .bar { gap: 0.2rem 1rem; min-block-size: 26px; }
      .bar label { display: inline-flex; gap: 0.35rem; align-items: center; min-block-size: 24px; }
      input[type="checkbox"] { min-block-size: 18px; min-inline-size: 18px; accent-color: var(--heed-focus); }
      input[type="range"] { inline-size: 7rem; padding: 0; accent-color: var(--heed-focus); }
      [role="listbox"] { position: relative; display: flex; flex-wrap: wrap; gap: 2px; max-block-size: 7.5rem; overflow: auto; min-inline-size: 0; }
      [role="option"] { position: relative; padding: 0.1rem 0.35rem 0.35rem; min-block-size: 26px; min-inline-size: 24px; text-align: center; border-radius: 3px; line-height: 1.4; cursor: pointer; white-space: pre; max-inline-size: 14rem; overflow: hidden; text-overflow: ellipsis; background: var(--heed-raised); }
      .keys [role="option"] { min-block-size: 36px; min-inline-size: 34px; }
      [role="option"] small { display: block; font-size: 10px; line-height: 1; color: var(--heed-muted); font-variant-numeric: tabular-nums; }
      [role="option"][aria-selected="true"] { font-weight: 600; outline: 2px solid currentColor; outline-offset: -2px; }
      [role="listbox"]:focus-visible [role="option"][aria-selected="true"] { outline: 3px solid var(--heed-focus); }
      .mass { position: absolute; inset-inline-start: 0; inset-block-end: 0; block-size: 4px; background: var(--heed-focus); }
      @media (min-width: 1100px) { [role="listbox"] { max-block-size: 3.75rem; } .keys { max-block-size: 5rem; } }
      @media (max-width: 640px) { .line { display: block; } }
      @media (forced-colors: active) { .mass { background: Highlight; forced-color-adjust: none; } }
    `,
  ];
  declare strip: StripState;
  readonly #row = new Memo<Held>();
  readonly #queries = new Memo<TokenUnit[]>();
  readonly #keys = new Memo<TokenUnit[]>();

  constructor() {
    super();
    this.strip = FIRST_STRIP;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#onAddress();
    addEventListener("hashchange", this.#onAddress);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("hashchange", this.#onAddress);
  }

  readonly #onAddress = (): void => {
    this.strip = readStrip(location.hash);
  };

  #set(part: Partial<StripState>): void {
    this.strip = { ...this.strip, ...part };
    history.replaceState(history.state, "", writeStrip(location.hash, this.strip));
  }

  protected override render(): TemplateResult {
    const { place, strip } = this;
    if (!place) return html``;
    const { shown, head, query, key } = place;
    const { rowTokens, columnTokens, map } = shown;
    const { isWhole, hidesSpecial, mass } = strip;
    const queries = this.#queries.get([rowTokens, isWhole], () => unitsOf(wordsOf(rowTokens, isWhole)));
    const keys = this.#keys.get([columnTokens, isWhole], () => unitsOf(wordsOf(columnTokens, isWhole)));
    const held = this.#row.get([shown, head, query, isWhole, hidesSpecial, mass], () => {
      const at = queries.findIndex(({ end }) => query < end);
      const words = () => wordMap(map, wordsOf(rowTokens, true), wordsOf(columnTokens, true)).row(head, at);
      const cells = isWhole ? words() : map.row(head, query);
      return { cells, ...massOf(cells, mass, (n) => !(hidesSpecial && keys[n]!.isSpecial)) };
    });
    const whose = queries.find(({ end }) => query < end)!;
    const holds = massSentence(short(whose.text), held, hidesSpecial);
    return html`${this.#controls(rowTokens, columnTokens, holds)}
      ${this.#line("Queries", queries, query, (to) => this.select({ query: to }))}
      ${this.#line("Keys", keys, key, (to) => this.select({ key: to }), held)}`;
  }

  /** What can be set, where it changes something, and what the keys that are marked hold. */
  #controls(rowTokens: readonly string[], columnTokens: readonly string[], holds: string): TemplateResult {
    const { isWhole, hidesSpecial, mass } = this.strip;
    const both = [rowTokens, columnTokens];
    const hasPieces = both.some((tokens) => wordsOf(tokens, true).words.length < tokens.length);
    const hasSpecial = both.some((tokens) => unitsOf(wordsOf(tokens, false)).some((unit) => unit.isSpecial));
    const checked = (event: Event) => (event.target as HTMLInputElement).checked;
    const percent = Math.round(100 * mass);
    return html`<div class="bar" role="group" aria-label="What the strip shows">
      ${
        hasPieces
          ? html`<label><input type="checkbox" .checked=${isWhole} @change=${(event: Event) => this.#set({ isWhole: checked(event) })}> whole words</label>`
          : nothing
      }${
        hasSpecial
          ? html`<label><input type="checkbox" .checked=${hidesSpecial} @change=${(event: Event) => this.#set({ hidesSpecial: checked(event) })}> hide special tokens</label>`
          : nothing
      }<label>mass <input type="range" min="5" max="100" step="5" .value=${String(percent)} aria-valuetext=${`${percent} % of the query's weight`}
        @input=${(event: Event) => this.#set({ mass: Number((event.target as HTMLInputElement).value) / 100 })}> ${percent} %</label>
      <span class="muted" data-mass>${holds}</span></div>`;
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
    units: readonly TokenUnit[],
    token: number,
    choose: (to: number) => void,
    held?: Held,
  ): TemplateResult {
    const { hidesSpecial } = this.strip;
    const left = [...units.keys()].filter((n) => !(hidesSpecial && units[n]!.isSpecial));
    // A token that is hidden stays chosen; the arrows go on from the next one that is shown.
    const next = left.findIndex((n) => token < units[n]!.end);
    const at = next < 0 ? left.length - 1 : next;
    const isIn = (n: number) => token >= units[n]!.first && token < units[n]!.end;
    const from = Math.max(0, Math.min(at - MOST / 2, left.length - MOST));
    const shown = left.slice(from, from + MOST);
    const part =
      shown.length < left.length
        ? html`<span class="muted">${from}–${from + shown.length - 1} of ${left.length}</span>`
        : nothing;
    const onKey = (event: KeyboardEvent) => {
      const to = rovingStep(event, at, left.length, false);
      if (to === undefined) return;
      event.preventDefault();
      choose(units[left[to]!]!.first);
    };
    const id = (n: number) => `${label}-${n}`;
    const active = shown.find(isIn);
    return html`<div class="line"><span class="label" id=${label}>${label} ${part}</span>
      <div role="listbox" class=${held ? "keys" : ""} tabindex="0" aria-labelledby=${label} aria-orientation="horizontal" aria-activedescendant=${
        active === undefined ? nothing : id(active)
      } @keydown=${onKey}>
        ${shown.map((n) => {
          const { text, first } = units[n]!;
          return html`<div role="option" id=${id(n)} aria-selected=${isIn(n)} @click=${() => choose(first)}>${short(text)}${
            held ? massOn(held, n) : nothing
          }</div>`;
        })}
      </div></div>`;
  }
}

/** How much a key has: a bar, and a number where it is one of those that hold the wanted share. */
function massOn({ cells, held }: Held, n: number): TemplateResult | typeof nothing {
  const weight = cells.kinds[n] === VALUE ? Math.max(0, Math.min(1, cells.values[n]!)) : 0;
  if (weight === 0) return nothing;
  return html`${held.has(n) ? html` <small>${percent(weight)}</small>` : nothing}<span class="mass" style=${`inline-size:${(100 * weight).toFixed(1)}%`}></span>`;
}

const percent = (share: number) => `${Math.round(100 * share)} %`;

/** “3 of 12 keys hold 72 % of what “sat” gives; hidden tokens hold 9 %.” */
function massSentence(query: string, { held, share, weighed, hidden }: Held, hides: boolean): string {
  if (weighed === 0) return `“${query}” gives nothing to any key.`;
  const keys =
    weighed === 1 ? "One key holds" : `${held.size} of ${weighed} keys ${held.size === 1 ? "holds" : "hold"}`;
  const rest = hides && hidden > 0 ? `; hidden tokens hold ${percent(hidden)}` : "";
  return `${keys} ${percent(share)} of what “${query}” gives${rest}.`;
}

customElements.define("token-strip", TokenStrip);

declare global {
  interface HTMLElementTagNameMap {
    "token-strip": TokenStrip;
  }
}
