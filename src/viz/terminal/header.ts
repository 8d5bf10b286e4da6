import { displayWidth, fitColumns, graphemes, truncate } from "../width.ts";

/** Column tokens above a map, and the width of a cell that goes with them. */
export interface Header {
  readonly lines: readonly string[];
  readonly cellWidth: number;
}

export interface HeaderInput {
  /** Safe to print. */
  readonly tokens: readonly string[];
  /** Columns to the left of the first cell. */
  readonly indent: number;
  /** Columns of the terminal. */
  readonly columns: number;
  readonly leastCellWidth: number;
  readonly unicode: boolean;
}

const WIDEST_CELL = 12;
const ROOMY_CELL = 6;
const MOST_STAIRS = 12;
const STAIR_WIDTHS = [6, 5, 4, 3, 2];
const VERTICAL_WIDTHS = [3, 2];
const LONGEST_VERTICAL = 12;
/** A token on the stairs that must be cut keeps at least this much. */
const LEAST_STAIR_TOKEN = 6;

/**
 * The most readable header that fits: each token over its column; else tokens on stairs, each on a line of its own
 * with a lead down to its column; else upright, one character below the other. Undefined when none fits.
 *
 *     I   love                    ╭ artificial              m
 *     ▓▓▓ ░░░                     │  ╭ intelligence       I y
 */
export function makeHeader(input: HeaderInput): Header | undefined {
  return across(input) ?? stairs(input) ?? upright(input);
}

function across({ tokens, indent, columns, leastCellWidth }: HeaderInput): Header | undefined {
  const longest = Math.max(...tokens.map(displayWidth));
  const tight = Math.max(longest + 1, leastCellWidth);
  const roomy = Math.max(longest + 2, leastCellWidth, ROOMY_CELL);
  const width = Math.min(roomy, WIDEST_CELL, Math.floor((columns - indent) / tokens.length));
  if (width < tight) return undefined;
  const line = tokens.map((token) => fitColumns(token, width, "center")).join("");
  return { lines: [`${" ".repeat(indent)}${line}`.trimEnd()], cellWidth: width };
}

function stairs({ tokens, indent, columns, leastCellWidth, unicode }: HeaderInput): Header | undefined {
  if (tokens.length > MOST_STAIRS) return undefined;
  const [turn, lead, ellipsis] = unicode ? ["╭ ", "│", "…"] : [", ", "|", "~"];
  const middle = (width: number) => Math.floor((width - 1) / 2);
  const room = (width: number, j: number) => columns - indent - j * width - middle(width) - turn.length;
  const fits = (width: number) =>
    indent + width * tokens.length <= columns &&
    tokens.every((token, j) => room(width, j) >= Math.min(displayWidth(token), LEAST_STAIR_TOKEN));
  const cellWidth = STAIR_WIDTHS.find((width) => width >= leastCellWidth && fits(width));
  if (cellWidth === undefined) return undefined;
  const before = " ".repeat(indent + middle(cellWidth));
  const lines = tokens.map((token, j) => {
    const leads = fitColumns(lead, cellWidth).repeat(j);
    return before + leads + turn + truncate(token, room(cellWidth, j), ellipsis);
  });
  return { lines, cellWidth };
}

function upright({ tokens, indent, columns, leastCellWidth, unicode }: HeaderInput): Header | undefined {
  const cellWidth = VERTICAL_WIDTHS.find(
    (width) => width >= leastCellWidth && indent + width * tokens.length <= columns,
  );
  if (cellWidth === undefined) return undefined;
  const ellipsis = unicode ? "…" : "~";
  const stacks = tokens.map((token) => {
    const stack = graphemes(token);
    return stack.length > LONGEST_VERTICAL ? [...stack.slice(0, LONGEST_VERTICAL - 1), ellipsis] : stack;
  });
  const height = Math.max(...stacks.map((stack) => stack.length));
  const lines = Array.from({ length: height }, (_, y) => {
    const line = stacks
      .map((stack) => fitColumns(stack[y - height + stack.length] ?? "", cellWidth))
      .join("");
    return `${" ".repeat(indent)}${line}`.trimEnd();
  });
  return { lines, cellWidth };
}
