import { PALETTES, type Palette } from "./color.ts";
import { largest, overlay } from "./image/overlay.ts";
import { captionBelow, checkMap, panelRows } from "./image/panels.ts";
import { checkPicture, drawPicture, drawPng, type Picture } from "./image/picture.ts";
import { oneOf, positiveInteger } from "./options.ts";
import { refuse } from "./refuse.ts";
import { formatNumber } from "./scale.ts";
import { TOKEN_SIZE } from "./svg/layout.ts";
import { element, fingerprint, label } from "./svg/markup.ts";
import { fitWidth } from "./svg/measure.ts";
import { THEMES, type Theme } from "./svg/theme.ts";
import { titledDocument } from "./svg/titled.ts";
import { visible } from "./text.ts";

export interface ImageAttentionData {
  readonly image: Picture;
  /** Rows and columns of the maps. */
  readonly grid: readonly [rows: number, columns: number];
  /** One map of rows·columns weights for each word. */
  readonly maps: readonly ArrayLike<number>[];
  /** What was said while each map was looked at. */
  readonly words: readonly string[];
}

export interface ImageAttentionOptions {
  /** @default "viridis" */
  readonly palette?: Palette;
  /** Interpolates between the cells of a map, and says so. @default false: a cell is a square */
  readonly smooth?: boolean;
  /** Panels in a row. @default 5 */
  readonly columns?: number;
  /** Width of a panel in pixels. @default 160 */
  readonly panelWidth?: number;
  /** @default "What each word looked at"; empty = none */
  readonly title?: string;
  /** @default "light" */
  readonly theme?: Theme;
}

const TITLE = "What each word looked at";

/**
 * Attention over an image: the image, and the same image once more for each word with what the word looked at.
 *
 *     colour of a pixel: palette[α / α_max] over the image, with an opacity that grows as α / α_max
 *
 * α_max is the largest weight of all words, which the note says, so panels can be compared. A cell of a map is drawn as a
 * square of the image; `smooth` interpolates. Cost: O(words·H·W). Pure: the same data give the same text, without a DOM.
 * Picture: Xu et al. 2015, figure 2, arxiv.org/abs/1502.03044.
 *
 * @throws ShapeError SHAPE · OptionError OPTION
 * @example
 * const picture = { height: 2, width: 2, values: [0, 0.5, 0.5, 1] };
 * image({ image: picture, grid: [2, 2], maps: [[1, 0, 0, 0]], words: ["dark"] });
 */
export function image(data: ImageAttentionData, options: ImageAttentionOptions = {}): string {
  const op = "image";
  const { image, grid, maps, words } = data;
  checkAttentionImage(op, data);
  const palette = oneOf(op, "palette", options.palette ?? "viridis", PALETTES);
  const theme = oneOf(op, "theme", options.theme ?? "light", THEMES);
  const columns = Math.min(positiveInteger(op, "columns", options.columns ?? 5), maps.length + 1);
  const panelWidth = positiveInteger(op, "panelWidth", options.panelWidth ?? 160);
  const { title = TITLE, smooth = false } = options;

  const most = Math.max(...maps.map(largest), 0);
  const panelHeight = (panelWidth * image.height) / image.width;
  const size = { title, columns, width: panelWidth, height: panelHeight };
  const { frameOf, width, height } = panelRows(maps.length + 1, size);
  const overlays = maps.map((map) => overlay(map, grid, image, { palette, smooth, most }));
  const panels = ["", ...words].map((word, panel) => {
    const frame = frameOf(panel);
    const over = panel === 0 ? "" : drawPng(overlays[panel - 1]!, frame);
    const text = panel === 0 ? "image" : fitWidth(visible(word), panelWidth, TOKEN_SIZE);
    return (
      drawPicture(image, frame) +
      over +
      element("rect", { class: "l", ...frame }) +
      label(text, { class: "t k", ...captionBelow(frame) })
    );
  });
  const note = `The brightest is a weight of ${formatNumber(most)}${smooth ? "; smoothed between cells" : ""}.`;
  const id = fingerprint(
    [
      theme,
      title,
      note,
      width,
      ...words,
      ...maps.map((map) => Array.from(map)),
      ...Array.from(image.values),
    ].join("\n"),
  );
  return titledDocument({
    id,
    theme,
    title,
    unnamed: TITLE,
    description: `${places(data)} ${note}`,
    width,
    height,
    note,
    content: [...panels],
  });
}

/** @throws ShapeError SHAPE · OptionError OPTION unless there is a map of the grid and a word for each */
export function checkAttentionImage(op: string, { image, grid, maps, words }: ImageAttentionData): void {
  checkPicture(op, "image", image);
  for (const side of grid) positiveInteger(op, "grid", side);
  if (maps.length === 0 || maps.length !== words.length) {
    const rule = "one word for each map, and one map or more";
    const got = `${words.length} words for ${maps.length} maps`;
    refuse(op, "words", rule, got, "pass as many of each");
  }
  maps.forEach((map, n) => {
    checkMap(op, `maps[${n}]`, map, grid);
  });
}

/** Where each word looked most, in words. */
function places({ grid: [rows, columns], maps, words }: ImageAttentionData): string {
  const looks = maps.slice(0, 3).map((map, n) => {
    const weights = Array.from(map);
    const cell = weights.indexOf(largest(map));
    const place = `row ${Math.floor(cell / columns) + 1}, column ${(cell % columns) + 1} (${weights[cell]!.toFixed(2)})`;
    return `“${visible(words[n]!)}” looked most at ${place}`;
  });
  const rest = maps.length > looks.length ? `; and ${maps.length - looks.length} more` : "";
  return `${maps.length} words over ${rows} × ${columns} cells of an image: ${looks.join("; ")}${rest}.`;
}
