import { css } from "lit";

/** How the studio lies on its page: three columns where there is room, one on a phone. */
export const appStyles = css`
  .app { border-radius: 6px; }
  .app.over { outline: 3px dashed var(--heed-focus); outline-offset: 2px; }
  .toolbar { display: flex; flex-wrap: wrap; gap: 0.4rem 0.75rem; align-items: center; }
  .toolbar label { display: inline-flex; gap: 0.35rem; align-items: center; color: var(--heed-muted); min-inline-size: 0; }
  .toolbar select { color: var(--heed-text); max-inline-size: 11.5rem; }
  .toolbar .space { flex: 1; }
  .saves { display: inline-flex; gap: 0.25rem; align-items: center; color: var(--heed-muted); flex-wrap: wrap; }
  .saves button { color: var(--heed-text); padding-inline: 0.35rem; }
  .saves button:disabled { color: var(--heed-muted); }
  .status { min-block-size: 1.4em; margin: 0.3rem 0 0.5rem; color: var(--heed-muted); }
  .ways { margin: 0 0 0.5rem; }
  .link { border: 0; background: none; padding: 0; min-block-size: 24px; color: var(--heed-focus); text-decoration: underline; }
  .ways a { color: var(--heed-focus); display: inline-block; min-block-size: 24px; }
  .live { border-block-end: 1px solid var(--heed-line); padding-block-end: 0.75rem; margin-block-end: 0.75rem; }
  .columns { display: grid; gap: 0.5rem 1rem; grid-template-columns: minmax(0, 1fr); align-items: start; }
  .side { border-block-start: 1px solid var(--heed-line); min-inline-size: 0; }
  .side > summary { font-weight: 600; min-block-size: 28px; padding-block: 0.25rem; cursor: pointer; inline-size: fit-content; }
  .middle { min-inline-size: 0; min-block-size: 20rem; }
  .middle[aria-busy="true"] { opacity: 0.6; }
  .tokens { border-block-start: 1px solid var(--heed-line); margin-block-start: 0.75rem; padding-block-start: 0.4rem; }
  heed-view, heed-grid { max-inline-size: none; padding: 0; background: none; }
  .failure { border-inline-start: 4px solid var(--heed-alert); padding: 0.25rem 0.75rem; max-inline-size: 44rem; font-size: 14px; }
  .failure h2 { color: var(--heed-alert); text-transform: none; letter-spacing: 0; font-size: 1.05rem; }
  @media (min-width: 1100px) {
    .columns { grid-template-columns: 17rem minmax(0, 1fr) 16rem; }
    .tokens { position: sticky; inset-block-end: 0; background: var(--heed-background); padding-block-end: 0.4rem; z-index: 1; }
    .columns.alone { grid-template-columns: minmax(0, 1fr); }
  }
  @media (min-width: 700px) and (max-width: 1099.9px) {
    .columns { grid-template-columns: minmax(0, 1fr) 15rem; }
    .columns.alone { grid-template-columns: minmax(0, 1fr); }
    .columns > .side:first-child { grid-column: 1 / -1; order: 3; }
  }
  @media (max-width: 699.9px) {
    .app { display: flex; flex-direction: column; }
    .columns { display: contents; }
    .middle { min-block-size: 0; }
    .tokens { order: 1; }
    .side { order: 2; margin-block-start: 0.75rem; }
    .folder { display: none; }
  }
`;
