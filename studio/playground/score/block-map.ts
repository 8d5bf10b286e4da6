import { css, html, type TemplateResult } from "lit";
import type { Panel } from "../catalogue/panels.ts";

const NAMES = { "0": "skipped", "0.5": "mask", "1": "whole" } as const;
const nameOf = (value: number) => NAMES[String(value) as keyof typeof NAMES];

const counted = (n: number, of: string) => `${n} ${of}`;

/** How many blocks need no work, and how many ask the mask. */
export function sentenceOfBlocks(blocks: Panel): string {
  const all = blocks.flat();
  const count = (value: number) => all.filter((one) => one === value).length;
  return `Of ${counted(all.length, all.length === 1 ? "block" : "blocks")}, ${count(0)} skipped, ${count(1)} whole, ${count(0.5)} with the mask: found from the expression by interval arithmetic, which a kernel asks before it computes a block.`;
}

/** The blocks as a table: rows of queries, columns of keys. */
export function blockMap(blocks: Panel, size: number): TemplateResult {
  const from = (n: number) => n * size;
  return html`<table class="blocks" aria-label="Blocks">
    <thead><tr><td></td>${blocks[0]!.map((_, n) => html`<th scope="col">s${from(n)}</th>`)}</tr></thead>
    <tbody>${blocks.map(
      (row, n) =>
        html`<tr><th scope="row">t${from(n)}</th>${row.map(
          (value) => html`<td class=${nameOf(value)}>${nameOf(value)}</td>`,
        )}</tr>`,
    )}</tbody></table>`;
}

/** What the page of score functions has besides. */
export const scoreStyles = css`
  .sentence { font-size: 1.05rem; }
  .formulas { margin: 0; display: grid; gap: 0.2rem; }
  .formulas dt { color: var(--heed-muted); font-size: 0.9rem; }
  .formulas dd { margin: 0; min-inline-size: 0; }
  .blocks { border-collapse: separate; border-spacing: 2px; font-size: 12px; display: block; overflow-x: auto; max-inline-size: 100%; }
  .blocks th { font-weight: 400; color: var(--heed-muted); padding: 0 4px; }
  .blocks td { min-inline-size: 3.6rem; block-size: 2rem; text-align: center; border-radius: 3px; padding: 0 0.3rem; }
  .blocks td.skipped { border: 1px dashed var(--heed-line); color: var(--heed-muted); }
  .blocks td.mask { border: 1px solid currentColor; background: repeating-linear-gradient(45deg, transparent 0 5px, light-dark(#e3d7f5, #3a2d52) 5px 10px); }
  .blocks td.whole { border: 1px solid currentColor; background: light-dark(#c9b3ee, #5b4585); }
`;
