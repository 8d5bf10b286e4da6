import { css } from "lit";

/** What the pages' elements share; colours come from shell/page.css. */
export const controls = css`
  :host { display: block; }
  *, ::before, ::after { box-sizing: border-box; }
  h2, h3 { line-height: 1.2; margin: 0; }
  p { margin: 0.4rem 0; max-inline-size: 70ch; }
  button, select, input[type="text"] {
    min-block-size: 30px; min-inline-size: 30px; font: inherit; color: inherit; background: var(--heed-raised);
    border: 1px solid var(--heed-line); border-radius: 5px; padding: 0 0.6rem; max-inline-size: 100%;
  }
  button { cursor: pointer; }
  button:disabled { color: var(--heed-muted); border-style: dashed; cursor: default; }
  button:hover:not(:disabled) { border-color: currentColor; }
  button[aria-pressed="true"], button[aria-current="true"] { border-color: currentColor; font-weight: 600; box-shadow: inset 0 -3px currentColor; }
  :is(button, select, input, summary, a, [tabindex]):focus-visible { outline: 3px solid var(--heed-focus); outline-offset: 1px; }
  a { color: var(--heed-focus); }
  .muted { color: var(--heed-muted); }
  .bar { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; }
  .sliders { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 13.5rem), 1fr)); gap: 0.35rem 1rem; margin-block: 0.6rem; }
  .control { display: grid; grid-template-columns: 1fr auto; gap: 0 0.5rem; align-items: center; padding: 0.2rem 0.45rem; border-radius: 6px; border-inline-start: 3px solid transparent; }
  .control.lit { background: light-dark(#fff3cd, #3d3300); border-color: var(--heed-focus); }
  .control output { font-variant-numeric: tabular-nums; font-weight: 600; }
  .control :is(input, select) { grid-column: 1 / -1; inline-size: 100%; accent-color: var(--heed-focus); min-block-size: 26px; margin: 0; }
  .readout { font-variant-numeric: tabular-nums; min-block-size: 1.5em; }
  .row { display: flex; flex-wrap: wrap; gap: 1rem 1.25rem; align-items: flex-start; }
  svg text { fill: currentColor; font-size: 12px; }
  @media (forced-colors: active) { .control.lit { outline: 2px solid Highlight; } }
`;
