import { readFileSync } from "node:fs";
import { DataError, FileError } from "../../core/errors.ts";
import { fileReason } from "../../core/file-reason.ts";
import type { Series } from "./series.ts";

const OP = "readSeries";
/** A table of so many bytes takes some ten times as much while it is read. */
const MOST_BYTES = 2 ** 27;

export interface SeriesTable extends Series {
  /** Columns that are no numbers, such as dates, which are left out. */
  readonly leftOut: readonly string[];
}

/**
 * The series of a CSV file: names in the first row, then one row for each time, the earliest first. Cells may be quoted as in
 * RFC 4180. A column without any number, such as one of dates, is left out.
 *
 * @param target the column that is forecast @default the last one
 * @throws FileError UNREADABLE · DataError FORMAT with the row, LIMIT
 */
export function readSeries(path: string, target?: string): SeriesTable {
  let text: string;
  try {
    const bytes = readFileSync(path);
    if (bytes.length > MOST_BYTES) {
      const fault = { op: OP, rule: `a table must have at most ${MOST_BYTES} bytes`, got: bytes.length };
      throw new DataError("LIMIT", { ...fault, remedy: "give fewer rows", path });
    }
    text = bytes.toString("utf8");
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    const fault = {
      op: OP,
      rule: `${path} must be readable`,
      got: fileReason(cause),
      remedy: "check the name",
    };
    throw new FileError("UNREADABLE", { ...fault, path }, { cause });
  }
  return parseSeries(text, path, target);
}

/** The same of a text; `path` is what errors call it. */
export function parseSeries(text: string, path: string, target?: string): SeriesTable {
  const refuse = (rule: string, got: string, remedy: string): never => {
    throw new DataError("FORMAT", { op: OP, rule, got: `${got} in ${path}`, remedy, path });
  };
  const [head, ...rows] = cellsOf(text.replace(/^\ufeff/, ""));
  if (!head || rows.length === 0)
    return refuse(
      "a table must have a row of names and rows of numbers",
      "none",
      "save one row for each time",
    );
  const names = head.map((name) => name.trim());
  const twice = names.find((name, n) => name === "" || names.indexOf(name) !== n);
  if (twice !== undefined)
    refuse("columns must have different names", JSON.stringify(twice), "name each in the first row");
  for (const [n, row] of rows.entries())
    if (row.length !== names.length)
      refuse(`row ${n + 2} must have ${names.length} cells`, String(row.length), "correct that row");
  const isNumber = (cell: string) => cell.trim() !== "" && Number.isFinite(Number(cell));
  const isSeries = names.map((_, v) => rows.some((row) => isNumber(row[v]!)));
  const kept = names.filter((_, v) => isSeries[v]);
  const wanted = target ?? kept.at(-1);
  if (wanted === undefined || !kept.includes(wanted))
    return refuse(
      `the target must be one of the columns of numbers, ${kept.join(", ") || "none"}`,
      JSON.stringify(wanted ?? ""),
      "name one of them",
    );
  // The target's own past comes last, wherever the table has it.
  const order = [...kept.filter((name) => name !== wanted), wanted];
  const columns = order.map((name) => {
    const v = names.indexOf(name);
    return Float64Array.from(rows, (row, n) => {
      const cell = row[v]!;
      if (!isNumber(cell))
        refuse(
          `row ${n + 2} must have a number for ${JSON.stringify(name)}`,
          JSON.stringify(cell.slice(0, 40)),
          "fill it in, or remove the column",
        );
      return Number(cell);
    });
  });
  return { names: order, columns, leftOut: names.filter((name) => !kept.includes(name)) };
}

/** The cells of each row that is not empty. */
function cellsOf(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let isQuoted = false;
  const end = () => {
    row.push(cell);
    cell = "";
  };
  const endRow = () => {
    end();
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  };
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]!;
    if (isQuoted) {
      if (sign !== '"') cell += sign;
      else if (text[at + 1] === '"') cell += text[++at];
      else isQuoted = false;
    } else if (sign === '"' && cell === "") isQuoted = true;
    else if (sign === ",") end();
    else if (sign === "\n") endRow();
    else if (sign !== "\r") cell += sign;
  }
  if (cell !== "" || row.length > 0) endRow();
  return rows;
}
