import { html, type TemplateResult } from "lit";

/** Rows on one page of a table. */
export const PAGE = 50;

export interface TablePage {
  readonly caption: string;
  readonly head: readonly string[];
  /** How many rows there are on all pages. */
  readonly rows: number;
  readonly page: number;
  /** The cells of one row, its name first. */
  readonly rowOf: (row: number) => readonly string[];
  readonly turn: (page: number) => void;
}

/** A table a page at a time, with buttons where there is more than one. */
export function tableTemplate({ caption, head, rows, page, rowOf, turn }: TablePage): TemplateResult {
  const pages = Math.ceil(rows / PAGE);
  const [begin, end] = [page * PAGE, Math.min(rows, (page + 1) * PAGE)];
  const lines = Array.from({ length: end - begin }, (_, n) => rowOf(begin + n));
  return html`<div class="bar" ?hidden=${pages === 1}>
      <button type="button" ?disabled=${page === 0} @click=${() => turn(page - 1)}>Previous rows</button>
      <button type="button" ?disabled=${page === pages - 1} @click=${() => turn(page + 1)}>Next rows</button>
      <span>rows ${begin} to ${end - 1} of ${rows}</span>
    </div>
    <div class="scroll" tabindex="0" role="group" aria-label="Data table"><table>
      <caption>${caption}</caption>
      <thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
      <tbody>${lines.map(
        ([name, ...cells]) =>
          html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`,
      )}</tbody>
    </table></div>`;
}
