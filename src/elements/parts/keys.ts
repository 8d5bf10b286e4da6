/** A key as the browser reports it. */
export type Press = Pick<KeyboardEvent, "key" | "shiftKey" | "ctrlKey" | "metaKey" | "altKey">;

/** The size of what a cursor moves in. */
export interface Field {
  readonly rows: number;
  readonly columns: number;
}

export interface Cursor {
  readonly row: number;
  readonly column: number;
}

const JUMP = 10;

/**
 * Where a key moves the cursor of a grid; undefined for keys that move nothing.
 *
 * Arrows one cell, with Shift ten; Page an eighth of the rows; Home and End along the row, with Ctrl to the corners.
 */
export function movedCursor(
  press: Press,
  { row, column }: Cursor,
  { rows, columns }: Field,
): Cursor | undefined {
  if (press.altKey || press.metaKey) return undefined;
  const step = press.shiftKey ? JUMP : 1;
  const page = Math.max(1, Math.floor(rows / 8));
  const at = (r: number, c: number): Cursor => ({
    row: Math.max(0, Math.min(rows - 1, r)),
    column: Math.max(0, Math.min(columns - 1, c)),
  });
  switch (press.key) {
    case "ArrowDown":
      return at(row + step, column);
    case "ArrowUp":
      return at(row - step, column);
    case "ArrowRight":
      return at(row, column + step);
    case "ArrowLeft":
      return at(row, column - step);
    case "PageDown":
      return at(row + page, column);
    case "PageUp":
      return at(row - page, column);
    case "Home":
      return at(press.ctrlKey ? 0 : row, 0);
    case "End":
      return at(press.ctrlKey ? rows - 1 : row, columns - 1);
  }
  return undefined;
}
