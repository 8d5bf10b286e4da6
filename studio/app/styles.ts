import { css } from "lit";

/** What the parts of the studio share: dense text, quiet lines, controls of one size. */
export const parts = css`
  :host { display: block; font: 13px/1.4 system-ui, sans-serif; color: var(--heed-text); }
  :host([hidden]), [hidden] { display: none !important; }
  h2, h3 { font-size: 12px; font-weight: 600; letter-spacing: 0.04em; margin: 0.6rem 0 0.25rem; color: var(--heed-muted); text-transform: uppercase; }
  p { margin: 0.25rem 0; overflow-wrap: anywhere; }
  .muted { color: var(--heed-muted); }
  .number, td, dd { font-variant-numeric: tabular-nums; }
  button, select, input {
    font: inherit; color: inherit; background: var(--heed-raised); border: 1px solid var(--heed-line);
    border-radius: 4px; min-block-size: 26px; min-inline-size: 26px; padding: 0 0.5rem; max-inline-size: 100%;
  }
  button { cursor: pointer; }
  button:hover { border-color: currentColor; }
  button:disabled { color: var(--heed-muted); border-style: dashed; cursor: default; }
  button[aria-pressed="true"] { border-color: currentColor; font-weight: 600; box-shadow: inset 0 -3px currentColor; }
  :is(button, select, input, summary, a, [tabindex]):focus-visible { outline: 3px solid var(--heed-focus); outline-offset: 1px; }
  .sr { position: absolute; clip-path: inset(50%); inline-size: 1px; block-size: 1px; overflow: hidden; white-space: nowrap; }
  dl { display: grid; grid-template-columns: auto 1fr; gap: 0.1rem 0.75rem; margin: 0.25rem 0; }
  dt { color: var(--heed-muted); }
  dd { margin: 0; overflow-wrap: anywhere; }
  .bar { display: flex; flex-wrap: wrap; gap: 0.35rem; align-items: center; }
  .weight { display: inline-block; block-size: 0.7em; min-inline-size: 1px; background: currentColor; opacity: 0.75; vertical-align: baseline; }
  table { border-collapse: collapse; inline-size: 100%; }
  th, td { text-align: start; padding: 0.1rem 0.3rem; font-weight: 400; border-block-end: 1px solid color-mix(in srgb, var(--heed-line) 35%, transparent); }
  thead th { color: var(--heed-muted); }
  @media (forced-colors: active) {
    :is(button, select, input, summary, a, [tabindex]):focus-visible { outline-color: Highlight; }
    button[aria-pressed="true"] { border: 3px solid Highlight; }
    .weight { background: CanvasText; forced-color-adjust: none; }
  }
`;
