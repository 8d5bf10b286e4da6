import { html, type TemplateResult } from "lit";
import { MOST_HEADS } from "../../viz/heads.ts";

/**
 * A box for each head, checked where it is drawn: Space or a click takes it in or out, Alt with Space or a double click
 * leaves it alone in the picture. One stays always; no more than eight can be told apart.
 */
export function headToggles(
  H: number,
  shown: readonly number[],
  choose: (heads: readonly number[]) => void,
): TemplateResult {
  const all = Array.from({ length: H }, (_, h) => h);
  const toggle = (head: number) =>
    choose(shown.includes(head) ? shown.filter((h) => h !== head) : [...shown, head].sort((a, b) => a - b));
  const onKey = (event: KeyboardEvent, head: number) => {
    if (event.key !== " " || !event.altKey) return;
    event.preventDefault();
    choose([head]);
  };
  const box = (head: number) => {
    const isShown = shown.includes(head);
    const isFixed = isShown ? shown.length === 1 : shown.length === MOST_HEADS;
    // Not disabled, which would take the focus away; a change is only taken back.
    const change = (event: Event) => {
      if (isFixed) (event.target as HTMLInputElement).checked = isShown;
      else toggle(head);
    };
    return html`<label title="Alt+Space or a double click shows it alone" @dblclick=${() => choose([head])}><input type="checkbox" .checked=${isShown}
      aria-disabled=${isFixed} @change=${change} @keydown=${(event: KeyboardEvent) => onKey(event, head)} /> head ${head}</label>`;
  };
  return html`<div class="bar heads" role="group" aria-label=${`Heads drawn, one to ${MOST_HEADS}`}>${all.map(box)}
    <button type="button" @click=${() => choose(all.slice(0, MOST_HEADS))}>${H > MOST_HEADS ? `First ${MOST_HEADS} heads` : "All heads"}</button></div>`;
}
