import { css, html, nothing, type TemplateResult } from "lit";
import { Memo } from "../../src/elements/parts/memo.ts";
import { short, weightText } from "../../src/elements/parts/sentences.ts";
import { MOST_PINS, type Pin, togglePin } from "../../src/elements/selection.ts";
import type { ScoreSteps } from "../../src/inspect/map/score.ts";
import { type CellFacts, cellFacts } from "./cell-facts.ts";
import { StudioPart } from "./part.ts";
import { parts } from "./styles.ts";

const MOST_KEYS = 8;

/** `<studio-inspector>`: the selected weight in numbers, the strongest keys of its query, and the pins. */
export class StudioInspector extends StudioPart {
  static override styles = [
    parts,
    css`
      .cell { font-size: 1.5rem; line-height: 1.2; margin-block: 0.2rem; }
      td:first-child { inline-size: 45%; }
      td button, .pins button { background: none; border: 0; padding: 0 0.2rem; text-align: start; overflow-wrap: anywhere; }
      td button:hover { text-decoration: underline; }
      td.track { inline-size: 35%; }
      .pins { list-style: none; padding: 0; margin: 0.2rem 0; }
      .pins li { display: flex; justify-content: space-between; gap: 0.5rem; }
    `,
  ];
  readonly #facts = new Memo<CellFacts>();

  protected override render(): TemplateResult {
    const { place } = this;
    if (!place) return html`<p class="muted">No weight is selected.</p>`;
    const { shown, layer, head, query, key, pins } = place;
    const traced = this.model?.trace?.layers[layer];
    const facts = this.#facts.get([shown, head, query, key], () =>
      cellFacts(shown, traced, [head, query, key], MOST_KEYS),
    );
    const { rowTokens, columnTokens } = shown;
    const isPinned = pins.some((pin) => pin.query === query && pin.key === key);
    return html`
      <p class="muted">${short(shown.name)}, head ${head}</p>
      <dl>
        <dt>query</dt><dd>${query} “${short(rowTokens[query]!)}”</dd>
        <dt>key</dt><dd>${key} “${short(columnTokens[key]!)}”</dd>
      </dl>
      <p class="cell number">${facts.kind === "weight" ? weightText(facts.weight) : facts.kind}</p>
      ${facts.kind === "weight" ? html`<p class="muted">rank ${facts.rank} of ${facts.seen} keys</p>` : nothing}
      ${facts.score ? scoreTemplate(facts.score, facts) : nothing}
      <div class="bar"><button type="button" aria-pressed=${isPinned} @click=${() => this.#toggle(pins, { query, key })}
        ?disabled=${!isPinned && pins.length === MOST_PINS}>${isPinned ? "Unpin" : "Pin"}</button></div>
      <h3>Strongest keys</h3>
      <table><tbody>${facts.top.map(
        (one) => html`<tr>
          <td><button type="button" aria-label=${`Key ${one.key} ${short(columnTokens[one.key]!)}, weight ${weightText(one.weight)}`}
            @click=${() => this.select({ key: one.key })}>${short(columnTokens[one.key]!)}</button></td>
          <td class="number">${weightText(one.weight)}</td>
          <td class="track"><span class="weight" style=${`inline-size:${(100 * Math.max(0, Math.min(1, one.weight))).toFixed(1)}%`}></span></td>
        </tr>`,
      )}</tbody></table>
      ${pins.length > 0 ? html`<h3>Pins</h3><ul class="pins">${pins.map((pin) => this.#pin(pin, pins, place))}</ul>` : nothing}`;
  }

  #pin(pin: Pin, pins: readonly Pin[], { shown, head }: NonNullable<StudioPart["place"]>): TemplateResult {
    const { rowTokens, columnTokens, map } = shown;
    const { values, kinds } = map.row(head, pin.query);
    const weight = kinds[pin.key] === 1 ? "masked" : weightText(values[pin.key]!);
    const text = `${short(rowTokens[pin.query]!)} → ${short(columnTokens[pin.key]!)} ${weight}`;
    return html`<li><button type="button" @click=${() => this.select({ ...pin })}>${text}</button>
      <button type="button" aria-label=${`Unpin ${text}`} @click=${() => this.#toggle(pins, pin)}>✕</button></li>`;
  }

  #toggle(pins: readonly Pin[], pin: Pin): void {
    const changed = togglePin(pins, pin);
    if (changed) this.select({ pins: changed });
  }
}

/** How the score became the weight: q·k, times the scale, with what was added, and the softmax. */
function scoreTemplate(
  { raw, scaled, scale, capped, biased }: ScoreSteps,
  { kind, weight }: CellFacts,
): TemplateResult {
  const number = (value: number) => value.toFixed(3).replace("-", "−");
  return html`<h3>From score to weight</h3><dl>
    <dt>q·k</dt><dd>${number(raw)}</dd>
    <dt>× ${number(scale)}</dt><dd>${number(scaled)}</dd>
    ${capped === undefined ? nothing : html`<dt>capped</dt><dd>${number(capped)}</dd>`}
    ${biased === undefined ? nothing : html`<dt>+ bias</dt><dd>${number(biased)}</dd>`}
    <dt>softmax</dt><dd>${kind === "weight" ? weightText(weight) : kind}</dd>
  </dl>`;
}

customElements.define("studio-inspector", StudioInspector);

declare global {
  interface HTMLElementTagNameMap {
    "studio-inspector": StudioInspector;
  }
}
