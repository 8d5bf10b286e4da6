import { css, unsafeCSS } from "lit";
import { COLORS } from "./colors.ts";

/** The look of all elements. */
export const styles = css`
  :host {
    display: block;
    box-sizing: border-box;
    max-inline-size: 44rem;
    color-scheme: light dark;
    ${unsafeCSS(COLORS)}
    padding: 0.75rem;
    color: var(--heed-text);
    background: var(--heed-background);
    font: 14px/1.45 system-ui, sans-serif;
  }
  :host(:is(heed-compare, heed-view)) { max-inline-size: 72rem; }
  :host([theme="light"]) { color-scheme: light; }
  :host([theme="dark"]) { color-scheme: dark; }
  :host([hidden]), [hidden] { display: none; }
  [role="tabpanel"] > * { padding-inline: 0; }
  figure { margin: 0; }
  input[type="range"] { inline-size: 7rem; accent-color: var(--heed-focus); min-block-size: 24px; vertical-align: middle; }
  .title { font-size: 1.15rem; font-weight: 600; }
  p { margin: 0.25rem 0; overflow-wrap: anywhere; }
  .muted { color: var(--heed-muted); }
  .failure { border-inline-start: 4px solid var(--heed-alert); padding: 0.25rem 0.75rem; }
  .failure strong { color: var(--heed-alert); }
  .bar, .legend { display: flex; flex-wrap: wrap; gap: 0.4rem; align-items: center; }
  .bar { margin-block: 0.5rem; }
  button, select, input[type="search"] {
    min-block-size: 28px;
    min-inline-size: 28px;
    max-inline-size: 14rem;
    font: inherit;
    color: inherit;
    background: var(--heed-raised);
    border: 1px solid var(--heed-line);
    border-radius: 4px;
    padding: 0 0.5rem;
  }
  .pins button { max-inline-size: 100%; overflow-wrap: anywhere; }
  button:disabled { color: var(--heed-muted); border-style: dashed; }
  button[aria-pressed="true"], [aria-selected="true"] { border-color: currentColor; font-weight: 600; box-shadow: inset 0 -3px currentColor; }
  :is(button, select, input, summary, [tabindex]):focus-visible { outline: 3px solid var(--heed-focus); outline-offset: 1px; }
  .chart { position: relative; touch-action: pan-y; }
  .chart.zoomed { touch-action: none; cursor: grab; }
  canvas { display: block; inline-size: 100%; forced-color-adjust: none; }
  .plot { position: absolute; overflow: clip; overflow-clip-margin: 6px; }
  .cell {
    position: absolute;
    box-sizing: border-box;
    pointer-events: none;
    outline: 3px solid var(--heed-focus);
    box-shadow: 0 0 0 5px var(--heed-background), inset 0 0 0 1px var(--heed-background);
  }
  .region { position: absolute; box-sizing: border-box; pointer-events: none; border: 2px dashed #fff; box-shadow: 0 0 0 1px #000, inset 0 0 0 1px #000; }
  [role="grid"]:not(:focus-within) .cell { outline-width: 2px; outline-style: dashed; }
  .panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); gap: 0.75rem; align-items: start; }
  .words { border: 1px solid var(--heed-line); padding: 0.35rem; margin-block: 0.4rem; line-height: 2; overflow-wrap: anywhere; }
  [role="option"] { padding: 0.2rem 0.4rem; border-radius: 4px; cursor: pointer; }
  .legend { column-gap: 0.9rem; font-size: 12px; }
  .legend span { display: inline-flex; gap: 0.35rem; align-items: center; }
  .legend canvas { inline-size: 8rem; block-size: 12px; border: 1px solid var(--heed-line); }
  .legend .swatch { inline-size: 22px; }
  .readout { min-block-size: 2.9em; font-variant-numeric: tabular-nums; }
  .scroll { overflow: auto; max-block-size: 20rem; border: 1px solid var(--heed-line); }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
  caption { text-align: start; padding: 0.3rem 0.5rem; }
  th, td { border: 1px solid var(--heed-line); padding: 0.15rem 0.5rem; text-align: start; max-inline-size: 14rem; overflow-wrap: anywhere; }
  details { margin-block: 0.4rem; }
  summary { min-block-size: 24px; inline-size: fit-content; cursor: pointer; }
  dl { display: grid; grid-template-columns: auto 1fr; gap: 0.15rem 0.8rem; margin: 0.4rem 0; }
  dt { font-family: ui-monospace, monospace; }
  dd { margin: 0; }
  .sr { position: absolute; clip-path: inset(50%); inline-size: 1px; block-size: 1px; overflow: hidden; white-space: nowrap; }
  @media (forced-colors: active) {
    .cell { outline-color: Highlight; box-shadow: none; }
    :is(button, select, summary, [tabindex]):focus-visible { outline-color: Highlight; }
    button[aria-pressed="true"], [aria-selected="true"] { border: 3px solid Highlight; }
  }
`;
