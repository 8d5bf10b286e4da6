import { displayWidth, truncate } from "../width.ts";

/** A piece that stays on one line; `width` is what it takes on the screen, where colour sequences take nothing. */
export interface Item {
  readonly text: string;
  readonly width: number;
}

/** An item of plain text, cut to the width of the terminal. */
export function plainItem(text: string, columns: number, ellipsis: string): Item {
  const cut = truncate(text, columns, ellipsis);
  return { text: cut, width: displayWidth(cut) };
}

/** Fills lines of at most `columns` with items, `gap` between neighbours. */
export function wrap(items: readonly Item[], columns: number, gap: string): string[] {
  const lines: Item[] = [];
  for (const item of items) {
    const last = lines.at(-1);
    const joined = last ? last.width + gap.length + item.width : Number.POSITIVE_INFINITY;
    if (last && joined <= columns)
      lines[lines.length - 1] = { text: last.text + gap + item.text, width: joined };
    else lines.push(item);
  }
  return lines.map(({ text }) => text);
}
