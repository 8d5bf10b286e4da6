import { css } from "lit";

/** The look of what runs live; colours come from shell/page.css. */
export const liveStyles = css`
  *, ::before, ::after { box-sizing: border-box; }
  :host { display: block; color: var(--heed-text); }
  :host([hidden]), [hidden] { display: none; }
  h2 { font-size: 1.2rem; margin: 0.5rem 0; }
  h3 { font-size: 1rem; margin: 0.75rem 0 0.25rem; }
  p { margin: 0.35rem 0; overflow-wrap: anywhere; }
  label { display: inline-flex; flex-wrap: wrap; gap: 0.35rem; align-items: center; }
  label.wide { display: block; }
  textarea { display: block; inline-size: 100%; min-block-size: 4.5rem; resize: vertical; }
  textarea, input[type="text"], select, button {
    font: inherit; color: inherit; background: var(--heed-raised);
    border: 1px solid var(--heed-line); border-radius: 4px; padding: 0.25rem 0.5rem; min-block-size: 32px; max-inline-size: 100%;
  }
  button { cursor: pointer; }
  button:disabled { color: var(--heed-muted); border-style: dashed; cursor: default; }
  button[aria-pressed="true"], [aria-selected="true"] { font-weight: 600; border-color: currentColor; box-shadow: inset 0 -3px currentColor; }
  input[type="range"] { accent-color: var(--heed-focus); min-block-size: 24px; inline-size: 9rem; }
  :is(button, select, textarea, input, summary, [tabindex]):focus-visible { outline: 3px solid var(--heed-focus); outline-offset: 1px; }
  .weights { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); gap: 0.2rem 1.5rem; }
  .weights label { display: grid; grid-template-columns: 6rem minmax(4rem, 1fr) 2.5rem; font-variant-numeric: tabular-nums; }
  .weights span:first-child { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .weights input[type="range"] { inline-size: 100%; }
  .bar { display: flex; flex-wrap: wrap; gap: 0.4rem 0.75rem; align-items: center; margin-block: 0.5rem; }
  .muted { color: var(--heed-muted); }
  .answer { font-size: 1.35rem; line-height: 1.35; min-block-size: 1.9rem; margin-block: 0.5rem; }
  .stale { opacity: 0.75; }
  .failure { border-inline-start: 4px solid var(--heed-alert); padding: 0.25rem 0.75rem; margin-block: 0.5rem; }
  .columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 0.5rem 1.5rem; align-items: start; }
  .columns > * { min-inline-size: 0; }
  progress { inline-size: min(16rem, 60vw); accent-color: var(--heed-focus); }
  .words { line-height: 2.1; }
  .words span { padding: 0.1rem 0.25rem; border-radius: 3px; }
  .copied { text-decoration: underline 3px; text-underline-offset: 4px; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
  .scroll { overflow: auto; max-block-size: 22rem; }
  caption { text-align: start; padding-block: 0.25rem; }
  th, td { border: 1px solid var(--heed-line); padding: 0.15rem 0.5rem; text-align: start; overflow-wrap: normal; }
  td:not(:first-child) { white-space: nowrap; }
  img { max-inline-size: 100%; block-size: auto; }
  .strip { max-block-size: none; }
  .strip img { inline-size: max(100%, 38rem); max-inline-size: 60rem; }
  img.seen { image-rendering: pixelated; inline-size: 128px; }
  ol, ul { margin: 0.25rem 0; padding-inline-start: 1.5rem; }
  pre { overflow: auto; border: 1px solid var(--heed-line); padding: 0.5rem; font-size: 12.5px; }
  .pick { padding: 0.15rem; } .pick img { display: block; inline-size: 64px; image-rendering: pixelated; }
  [role="tablist"] { display: flex; flex-wrap: wrap; gap: 0.35rem; margin-block: 0.5rem; }
`;
