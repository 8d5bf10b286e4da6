import { html, type TemplateResult } from "lit";

const KEYS = [
  ["Arrows", "one cell; with Shift ten"],
  ["Page Up, Page Down", "an eighth of the queries"],
  ["Home, End", "first or last key; with Ctrl the corners"],
  ["m", "strongest key of this query; Shift+m: strongest query of this key"],
  ["x", "read by key, or by query"],
  ["Enter, Escape", "pin this cell or free it; free all pins"],
  ["b, Enter", "begin a region here, end it; b or Escape takes it away; Shift and a drag draw one"],
  ["/", "find a token: Enter goes to the next one"],
  ["+  −  0", "zoom in, zoom out, whole map; Alt+arrows pan"],
  ["[  ]", "previous or next head"],
  ["{  }", "previous or next layer"],
  ["t", "data table"],
  ["c", "next palette"],
  ["?", "this list"],
] as const;

/** The list of the keys that a heat map listens to. */
export function helpTemplate(open: boolean, onToggle: (open: boolean) => void): TemplateResult {
  const toggle = (event: Event) => onToggle((event.target as HTMLDetailsElement).open);
  return html`<details .open=${open} @toggle=${toggle}><summary>Keys</summary>
    <dl>${KEYS.map(([keys, what]) => html`<dt>${keys}</dt><dd>${what}</dd>`)}</dl></details>`;
}
