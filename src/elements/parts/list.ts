import { html, type TemplateResult } from "lit";

/** A list with a label, of which one is chosen by its place. */
export function listTemplate(
  label: string,
  names: readonly string[],
  value: number,
  choose: (n: number) => void,
): TemplateResult {
  return html`<label>${label} <select .value=${String(value)}
    @change=${(event: Event) => choose(Number((event.target as HTMLSelectElement).value))}>
    ${names.map((name, n) => html`<option value=${n} ?selected=${n === value}>${name}</option>`)}
  </select></label>`;
}
