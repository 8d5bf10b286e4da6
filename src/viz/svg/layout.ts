import { visible } from "../text.ts";
import { fitWidth, textWidth } from "./measure.ts";
import { stripRoom } from "./strips.ts";

/** The seed's figure: 10 × 8 inches, at the 96 pixels of a CSS inch. */
export const FIGURE = { width: 960, height: 768 };

export const TOKEN_SIZE = 13;
export const BAR_WIDTH = 18;

const LONGEST_LABEL = 168;
const LEAST_LABEL_PITCH = 14;
const LEAST_PLOT = 200;
/** Beyond this ratio of its sides a cell reads as a stripe; the figure shrinks instead. */
const MOST_STRETCH = 2;
/** Distance of slanted labels that keeps their lines apart: LEAST_LABEL_PITCH · √2. */
const SLANT_PITCH = 20;
const PAD = 16;
const MOST_MARGIN = 24;
/** Colour bar, its ticks and its title. */
const RIGHT = 128;

export interface Label {
  readonly text: string;
  /** Centre of the row or column that it names. */
  readonly at: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  readonly cellWidth: number;
  readonly cellHeight: number;
  readonly plotWidth: number;
  readonly plotHeight: number;
  readonly rowLabels: readonly Label[];
  readonly columnLabels: readonly Label[];
  /** 0, −45 or −90 degrees. */
  readonly columnAngle: 0 | -45 | -90;
  /** Height that the column labels take below `bottom`. */
  readonly columnDepth: number;
  /** Where the plot ends and its strips with it: the colour bar is beyond, the column labels are below. */
  readonly right: number;
  readonly bottom: number;
}

export interface LayoutInput {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly hasTitle: boolean;
  readonly hasXTitle: boolean;
  readonly hasYTitle: boolean;
  readonly hasNote: boolean;
  /** Names of the strips beside the plot, and of those below it. @default none */
  readonly rowStrips?: readonly string[];
  readonly columnStrips?: readonly string[];
  /** The most that the figure may take. @default FIGURE */
  readonly figure?: { readonly width: number; readonly height: number };
}

/** Every n-th label, so that they keep LEAST_LABEL_PITCH apart. */
function thin(labels: readonly Label[], pitch: number): Label[] {
  const step = Math.ceil(LEAST_LABEL_PITCH / pitch);
  return labels.filter((_, i) => i % step === 0);
}

function columnAxis(tokens: readonly string[], left: number, cellWidth: number) {
  const labels = tokens.map((token, j) => ({ text: visible(token), at: left + (j + 0.5) * cellWidth }));
  const longest = Math.max(...labels.map(({ text }) => textWidth(text, TOKEN_SIZE)));
  if (longest <= cellWidth - 6)
    return { columnAngle: 0 as const, columnLabels: labels, columnDepth: TOKEN_SIZE + 10 };
  const columnAngle = cellWidth >= SLANT_PITCH ? (-45 as const) : (-90 as const);
  // A slanted label leans to the left of its column and must not leave the figure there.
  const room = (at: number) =>
    columnAngle === -45 ? Math.min(LONGEST_LABEL, (at - PAD) * Math.SQRT2) : LONGEST_LABEL;
  const columnLabels = thin(labels, cellWidth).map(({ text, at }) => ({
    text: fitWidth(text, room(at), TOKEN_SIZE),
    at,
  }));
  const length = Math.max(...columnLabels.map(({ text }) => textWidth(text, TOKEN_SIZE)));
  const columnDepth = columnAngle === -45 ? (length + TOKEN_SIZE) / Math.SQRT2 + 8 : length + 10;
  return { columnAngle, columnLabels, columnDepth };
}

/** Whole-pixel cells leave a few pixels over: those stay in the margin, and more than those leave the figure. */
function snap(needed: number, full: number): number {
  return full - needed <= MOST_MARGIN ? full : needed;
}

/** Places everything; the only part of the picture that knows about space. */
export function layOut(input: LayoutInput): Layout {
  const { figure = FIGURE, rowStrips = [], columnStrips = [] } = input;
  const [beside, below] = [stripRoom(rowStrips.length), stripRoom(columnStrips.length)];
  const rowTexts = input.rows.map((token) => fitWidth(visible(token), LONGEST_LABEL, TOKEN_SIZE));
  const rowWidth = Math.max(...[...rowTexts, ...columnStrips].map((text) => textWidth(text, TOKEN_SIZE)));
  const left = Math.ceil(PAD + (input.hasYTitle ? 28 : 0) + rowWidth + 10);
  const top = input.hasTitle ? 56 : PAD;
  const under = (input.hasXTitle ? 28 : 0) + (input.hasNote ? 22 : 0) + PAD + below;
  const freeWidth = figure.width - left - RIGHT - beside;

  const place = (mostCellWidth: number) => {
    const cellWidth = Math.min(Math.floor(freeWidth / input.columns.length), mostCellWidth);
    const axis = columnAxis(input.columns, left, cellWidth);
    for (const name of rowStrips)
      axis.columnDepth = Math.max(axis.columnDepth, textWidth(name, TOKEN_SIZE) + 10 - below);
    const freeHeight = figure.height - top - axis.columnDepth - under;
    const cellHeight = Math.floor(freeHeight / input.rows.length);
    return { cellWidth, cellHeight, axis };
  };
  const leastCell = (count: number) => Math.ceil(LEAST_PLOT / count);
  const first = place(Number.POSITIVE_INFINITY);
  const mostCellWidth = Math.max(leastCell(input.columns.length), first.cellHeight * MOST_STRETCH);
  const { cellWidth, cellHeight: freeCellHeight, axis } = place(mostCellWidth);
  const mostCellHeight = Math.max(leastCell(input.rows.length), cellWidth * MOST_STRETCH);
  const cellHeight = Math.min(freeCellHeight, mostCellHeight);

  const plotWidth = cellWidth * input.columns.length;
  const plotHeight = cellHeight * input.rows.length;
  return {
    width: snap(left + plotWidth + beside + RIGHT, figure.width),
    height: snap(Math.ceil(top + plotHeight + axis.columnDepth + under), figure.height),
    left,
    top,
    cellWidth,
    cellHeight,
    plotWidth,
    plotHeight,
    right: left + plotWidth + beside,
    bottom: top + plotHeight + below,
    rowLabels: thin(
      rowTexts.map((text, i) => ({ text, at: top + (i + 0.5) * cellHeight })),
      cellHeight,
    ),
    ...axis,
  };
}
