import { colorAt, type Rgb } from "./color.ts";
import { largest } from "./image/overlay.ts";
import { upsample } from "./image/upsample.ts";
import { checkAttentionImage, type ImageAttentionData } from "./image.ts";
import { positiveInteger } from "./options.ts";
import type { ColorDepth } from "./terminal/capabilities.ts";
import { makeInk, paintLine, type Span } from "./terminal/ink.ts";
import { ellipsisOf, printable } from "./terminal/page.ts";
import { fitColumns } from "./width.ts";

export interface TerminalImageOptions {
  /** Bits of colour, as `terminalCapabilities` finds them. */
  readonly depth: ColorDepth;
  /** Whether block characters can be shown; else the output is pure ASCII. */
  readonly unicode: boolean;
  /** Width of the terminal; pictures that do not fit into a line go to the next. */
  readonly columns: number;
}

/** Of a picture, in terminal columns; a line shows two rows of pixels. */
const SIDE = 16;
const GAP = 2;
/** Of the map over the picture, where the weight is largest. */
const OPACITY = 0.7;

/**
 * Attention over an image in a terminal: the image, and once more for each word with what the word looked at.
 *
 * Where there are 256 colours or more and block characters, each is a small picture of half blocks, as `image` draws them: the
 * map upsampled bilinearly with its sum kept, its colour the stronger the larger the weight; with 256 colours a grey
 * picture, lit where the word looked. Elsewhere each word is a line, with the cell that it looked at most.
 * Cost: O(words·H·W). Pure: one string, lines joined by "\n"; no word can steer the terminal.
 *
 * @throws ShapeError SHAPE · OptionError OPTION
 * @example
 * const picture = { height: 2, width: 2, values: [0, 0.5, 0.5, 1] };
 * const data = { image: picture, grid: [2, 2], maps: [[0, 0.25, 0.75, 0]], words: ["dark"] };
 * terminalImage(data, { depth: 1, unicode: true, columns: 80 }); // "dark: row 2, column 1 (0.75)"
 */
export function terminalImage(data: ImageAttentionData, options: TerminalImageOptions): string {
  const op = "terminalImage";
  checkAttentionImage(op, data);
  const { depth, unicode } = options;
  const columns = Math.max(SIDE, positiveInteger(op, "columns", options.columns));
  if (depth < 8 || !unicode) return lines(data, unicode);
  const paint = painter(data, depth);
  const panels = [undefined, ...data.maps].map((map) => paint(map));
  const names = ["image", ...data.words.map((word) => printable({ unicode }, word))];
  const perLine = Math.max(1, Math.floor((columns + GAP) / (SIDE + GAP)));
  const blocks = Array.from({ length: Math.ceil(panels.length / perLine) }, (_, n) => {
    const [from, to] = [n * perLine, (n + 1) * perLine];
    const captions = names
      .slice(from, to)
      .map((name) => fitColumns(name, SIDE, "left", ellipsisOf({ unicode })));
    const rows = Array.from({ length: panels[0]!.length }, (_, row) =>
      paintLine(panels.slice(from, to).flatMap((panel, p) => [...(p > 0 ? [BLANK] : []), ...panel[row]!])),
    );
    return [...rows, captions.join(" ".repeat(GAP)).trimEnd()].join("\n");
  });
  return blocks.join("\n\n");
}

const BLANK: Span = { text: " ".repeat(GAP) };

/** What draws the image as lines of half blocks, under a map where there is one. */
function painter({ image, grid, maps }: ImageAttentionData, depth: ColorDepth) {
  const { height, width, channels = 1, values } = image;
  const rows = 2 * Math.max(1, Math.round((SIDE * height) / width / 2));
  const grey = Float64Array.from({ length: height * width }, (_, n) => {
    const [red, green, blue] = [0, 1, 2].map((c) =>
      Math.min(1, Math.max(0, values[n * channels + (c % channels)]!)),
    );
    return 0.299 * red! + 0.587 * green! + 0.114 * blue!;
  });
  const light = areaMeans(grey, [height, width], [rows, SIDE]);
  const most = Math.max(...maps.map(largest), 0) || 1;
  // Upsampling spreads a cell's weight over its pixels; the colours are those of the cells.
  const spread = (grid[0] * grid[1]) / (rows * SIDE);
  const ink = makeInk(8, "grey")!;
  const color = (at: number, shares: Float64Array | undefined): string => {
    const strength = shares ? Math.min(1, shares[at]! / (most * spread)) : 0;
    // Of 256 colours the greys alone tell enough apart.
    if (depth === 8)
      return ink.color(Math.min(1, light[at]! * (shares ? 0.35 + 0.65 * strength : 1) + 0.3 * strength));
    const opacity = OPACITY * strength;
    const over = colorAt("viridis", strength);
    const mixed = over.map((channel) => Math.round(opacity * channel + (1 - opacity) * 255 * light[at]!));
    return `2;${(mixed as unknown as Rgb).join(";")}`;
  };
  return (map: ArrayLike<number> | undefined): Span[][] => {
    const shares = map && upsample(map, grid, [rows, SIDE], true);
    return Array.from({ length: rows / 2 }, (_, line) =>
      Array.from({ length: SIDE }, (_, x) => {
        const [upper, lower] = [2 * line * SIDE + x, (2 * line + 1) * SIDE + x];
        return { text: "▀", foreground: color(upper, shares), background: color(lower, shares) };
      }),
    );
  };
}

/** Each pixel of the smaller picture is the mean of those that its place has in the larger one; a smaller one is repeated. */
function areaMeans(
  values: Float64Array,
  [H, W]: readonly [number, number],
  [rows, columns]: readonly [number, number],
): Float64Array {
  return Float64Array.from({ length: rows * columns }, (_, n) => {
    const [row, column] = [Math.floor(n / columns), n % columns];
    const [top, left] = [Math.floor((row * H) / rows), Math.floor((column * W) / columns)];
    const bottom = Math.max(top + 1, Math.floor(((row + 1) * H) / rows));
    const right = Math.max(left + 1, Math.floor(((column + 1) * W) / columns));
    let sum = 0;
    for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += values[y * W + x]!;
    return sum / ((bottom - top) * (right - left));
  });
}

/** Each word with the cell that it looked at most. */
function lines({ grid: [, columns], maps, words }: ImageAttentionData, unicode: boolean): string {
  return maps
    .map((map, n) => {
      const most = largest(map);
      const cell = Array.from(map).indexOf(most);
      const place = `row ${Math.floor(cell / columns) + 1}, column ${(cell % columns) + 1} (${most.toFixed(2)})`;
      return `${printable({ unicode }, words[n]!)}: ${place}`;
    })
    .join("\n");
}
