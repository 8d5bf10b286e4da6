import { quoted } from "../trace/fault.ts";
import type { Trace } from "../trace/trace.ts";
import { refuse } from "./fault.ts";
import { traceOf } from "./layers.ts";
import { Allowance, type ImportOptions } from "./options.ts";

const REMEDY = "save one row of numbers for each query, tokens in the first row and column if you like";

/**
 * A trace of a table: one row for each query, one column for each key, separated by commas, semicolons or tabs.
 *
 *     ,I,love,tea
 *     j',0.9,0.05,0.05
 *     aime,0.1,0.8,0.1
 *
 * The first row holds the keys' tokens where a cell after its first is no number, the first column the queries' where a
 * cell below the first row is none; below an empty corner both do. Cells may be quoted as in RFC 4180.
 *
 * @throws DataError FORMAT, LIMIT
 * @example
 * fromCsv(",I,love\nJ',0.9,0.1\naime,0.2,0.8\n").tokens.queries; // ["J'", "aime"]
 */
export function fromCsv(text: string, options: ImportOptions = {}): Trace {
  new Allowance(text.length, options.mostBytes).take("importTrace", "the table", costOf(text));
  const table = parse(text.replace(/^\ufeff/, "")).filter((row) => row.length > 1 || row[0] !== "");
  const first = table[0];
  if (!first) return refuse("the table", "have a row", "none", REMEDY);
  // As R writes it: the head has no corner.
  if (table.length > 1 && table[1]!.length === first.length + 1) first.unshift("");
  const isHead =
    isCorner(first) || first.some((cell, at) => (at > 0 || first.length === 1) && !isNumber(cell));
  const body = table.slice(isHead ? 1 : 0);
  // A cell without anything is a number that is missing, and no name.
  const isNamed = body.some(([name]) => !isNumber(name!) && name!.trim() !== "") || isCorner(first);
  const labels = isNamed ? 1 : 0;
  const width = first.length - labels;
  if (body.length === 0 || width < 1) return refuse("the table", "have a row of numbers", "none", REMEDY);
  for (const [t, row] of body.entries()) {
    if (row.length === width + labels) continue;
    refuse(`row ${t}`, `have ${width + labels} cells, like the first`, `${row.length}`, REMEDY);
  }
  const values = new Float32Array(body.length * width);
  for (const [t, row] of body.entries())
    for (let s = 0; s < width; s++) {
      const cell = row[s + labels]!;
      if (!isNumber(cell)) refuse(`row ${t}, column ${s}`, "be a number", quoted(cell), REMEDY);
      values[t * width + s] = numberOf(cell);
    }
  const keys = isHead ? { name: "keys", tokens: first.slice(labels) } : undefined;
  const queries = isNamed ? { name: "queries", tokens: body.map((row) => row[0]!) } : undefined;
  return traceOf([{ shape: [body.length, width], values, queries, keys }], options);
}

const isNumber = (cell: string): boolean =>
  /^\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?\s*$/i.test(cell) || /^\s*(?:nan|[-+]?inf)\s*$/i.test(cell);

/** JavaScript knows infinity by another name than numpy and R. */
function numberOf(cell: string): number {
  if (!/inf/i.test(cell)) return Number(cell);
  return cell.includes("-") ? -Infinity : Infinity;
}

/** Whether the corner is no token: the others of its row name the columns that follow it. */
function isCorner(first: readonly string[]): boolean {
  return first[0]!.trim() === "";
}

/** What the cells and rows of a table take, in bytes, and their text. */
const CELL = 40;
const ROW = 80;

/** About how much memory `parse` takes, in bytes; separators within quotes count as if they ended a cell. */
function costOf(text: string): number {
  const separator = separatorOf(text);
  let bytes = 2 * text.length;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === separator) bytes += CELL;
    else if (text[at] === "\n" || text[at] === "\r") bytes += CELL + ROW;
  }
  return bytes;
}

function separatorOf(text: string): string {
  const head = /^[^\r\n]*/.exec(text)![0];
  return [",", ";", "\t"].reduce((best, c) => (count(head, c) > count(head, best) ? c : best));
}

/** Rows of cells, quotes taken away. Cells are slices of the text, which cost less than letters put together. */
function parse(text: string): string[][] {
  const separator = separatorOf(text);
  const rows: string[][] = [[]];
  let begin = 0;
  /** A cell that began with quotes: what was in them. */
  let quoted = "";
  for (let at = 0; at <= text.length; at++) {
    const c = text[at];
    if (c === '"' && at === begin && quoted === "") {
      const end = closingQuote(text, at + 1);
      quoted = text.slice(at + 1, end).replaceAll('""', '"');
      at = end;
      begin = end + 1;
    } else if (c === undefined || c === separator || c === "\n" || c === "\r") {
      rows.at(-1)!.push(quoted + text.slice(begin, at));
      quoted = "";
      if (c === "\n" || c === "\r") rows.push([]);
      if (c === "\r" && text[at + 1] === "\n") at++;
      begin = at + 1;
    }
  }
  return rows;
}

/** The quote that ends a cell; two in a row are one of its characters. */
function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at;
  }
  return refuse("the table", "close every quote", "one that stays open", 'write a quote within a cell as ""');
}

function count(text: string, c: string): number {
  let found = 0;
  for (let at = text.indexOf(c); at >= 0; at = text.indexOf(c, at + 1)) found++;
  return found;
}
