import { css } from "lit";

/** The layout of the playground's pages: mechanisms on the left, or above as a list where there is no room. */
export const styles = css`
  h2 { font-size: 1.3rem; }
  h3 { font-size: 1rem; margin-block: 1rem 0.35rem; }
  h3 small { font-weight: 400; }
  .page { display: grid; grid-template-columns: 13rem minmax(0, 1fr); gap: 1.5rem; align-items: start; }
  nav ul { list-style: none; margin: 0; padding: 0; }
  nav h2 { margin-block: 0.8rem 0.2rem; color: var(--heed-muted); font-size: 0.85rem; }
  nav h2:first-child { margin-block-start: 0; }
  nav button { inline-size: 100%; text-align: start; background: none; border-color: transparent; min-block-size: 28px; }
  nav button[aria-current="true"] { background: var(--heed-raised); border-color: currentColor; box-shadow: inset 4px 0 currentColor; }
  .narrow { display: none; }
  .head p { font-size: 1.05rem; }
  .terms { list-style: none; display: flex; flex-wrap: wrap; gap: 0.35rem; margin: 0.4rem 0; padding: 0; font-size: 0.9rem; }
  .terms button { text-align: start; min-block-size: 28px; background: none; border-style: dashed; }
  .terms button.lit { background: light-dark(#ffe9a8, #5c4a00); border-style: solid; }
  .sliders { border-block: 1px solid var(--heed-line); padding-block: 0.5rem; }
  .stages { display: flex; flex-wrap: wrap; gap: 0.75rem 1rem; align-items: flex-start; }
  figure { margin: 0; padding: 0.3rem; border-radius: 6px; max-inline-size: 100%; }
  figure.lit { background: light-dark(#fff3cd, #3d3300); }
  figcaption { font-size: 0.9rem; }
  .step { color: var(--heed-muted); }
  .figure > * { padding-inline: 0; max-inline-size: 46rem; }
  pre { background: var(--heed-raised); border: 1px solid var(--heed-line); border-radius: 6px; padding: 0.75rem; overflow: auto;
    font-size: 13px; line-height: 1.45; max-block-size: 26rem; margin-block: 0.5rem; overflow-wrap: normal; }
  pre:focus-visible { outline: 3px solid var(--heed-focus); }
  details { margin-block: 1rem; }
  summary { min-block-size: 28px; cursor: pointer; font-weight: 600; inline-size: fit-content; }
  .old { border-inline-start: 4px dashed var(--heed-line); padding-inline-start: 0.75rem; }
  .before { color: var(--heed-muted); }
  .failure { border-inline-start: 4px solid var(--heed-alert); padding-inline-start: 0.75rem; }
  .heard { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); margin: 0; }
  @media (max-width: 56rem) {
    .page { grid-template-columns: minmax(0, 1fr); gap: 0.75rem; }
    .wide { display: none; }
    .narrow { display: grid; gap: 0.2rem; }
  }
`;
