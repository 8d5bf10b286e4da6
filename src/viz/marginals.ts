import { colorAt, hex, PALETTES, type Palette } from "./color.ts";
import { oneOf, positiveInteger } from "./options.ts";
import { refuse } from "./refuse.ts";
import { element, fingerprint, label } from "./svg/markup.ts";
import { THEMES, type Theme } from "./svg/theme.ts";
import { belowTitle, PAD, titledDocument } from "./svg/titled.ts";

export interface MarginalsData {
  /** a_y: how much each row of the image is looked at, H numbers. */
  readonly y: ArrayLike<number>;
  /** a_x: how much each column is, W numbers. */
  readonly x: ArrayLike<number>;
}

export interface MarginalsOptions {
  /** Width of the mask in pixels. @default 240 */
  readonly panelWidth?: number;
  /** @default "viridis" */
  readonly palette?: Palette;
  /** @default "a = a_y a_xᵀ"; empty = none */
  readonly title?: string;
  /** @default "light" */
  readonly theme?: Theme;
}

const TITLE = "a = a_y a_xᵀ";
const GAP = 8;
const STRIP = 28;

/** Three parameters of one axis: centre of the first Gaussian, distance of the next, deviation; in pixels. */
export interface GaussianAxisParameters {
  readonly u: number;
  readonly d: number;
  readonly s: number;
}

/**
 * What one axis of a Gaussian glimpse looks at: `count` Gaussians on `size` pixels, the largest of them at each pixel.
 *
 *     a_i = max_r exp(−½ ((i − u − r·d) / s)²),    r = 0 … count − 1
 *
 * @throws OptionError OPTION when s is not above 0
 * @example
 * gaussianAxis(5, 1, { u: 2, d: 1, s: 1 })[2]; // 1
 */
export function gaussianAxis(size: number, count: number, { u, d, s }: GaussianAxisParameters): Float64Array {
  const op = "gaussianAxis";
  positiveInteger(op, "size", size);
  positiveInteger(op, "count", count);
  if (!(s > 0)) refuse(op, "s", "above 0", String(s), "use binaryAxis for a sharp edge");
  return Float64Array.from({ length: size }, (_, i) => {
    let most = 0;
    for (let r = 0; r < count; r++) most = Math.max(most, Math.exp(-0.5 * ((i - u - r * d) / s) ** 2));
    return most;
  });
}

/** The same with an edge instead of a slope: 1 from `start` for `length` pixels, 0 elsewhere. */
export function binaryAxis(size: number, start: number, length: number): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => Number(i >= start && i < start + length));
}

/**
 * A separable mask with its two factors: a_x above it, a_y to its right.
 *
 *     a = a_y a_xᵀ
 *
 * The numbers must be between 0 and 1, as those of `gaussianAxis` and `binaryAxis` are.
 * Cost: O(H·W). Pure: the same data give the same text, without a DOM. Picture: Kosiorek 2017; the filters are those of
 * Gregor et al. 2015, §3.2, arxiv.org/abs/1502.04623.
 *
 * @throws OptionError OPTION
 * @example
 * marginals({ y: binaryAxis(8, 2, 3), x: gaussianAxis(8, 3, { u: 2, d: 1, s: 0.5 }) });
 */
export function marginals(data: MarginalsData, options: MarginalsOptions = {}): string {
  const op = "marginals";
  const [y, x] = (["y", "x"] as const).map((name) => checkedAxis(op, name, data[name])) as [
    number[],
    number[],
  ];
  const palette = oneOf(op, "palette", options.palette ?? "viridis", PALETTES);
  const theme = oneOf(op, "theme", options.theme ?? "light", THEMES);
  const panelWidth = positiveInteger(op, "panelWidth", options.panelWidth ?? 240);
  const { title = TITLE } = options;
  const cell = panelWidth / x.length;
  const top = belowTitle(title) + STRIP + GAP;
  const panelHeight = cell * y.length;
  const right = PAD + panelWidth + GAP;
  const color = (value: number) => hex(colorAt(palette, value));
  const square = (left: number, up: number, width: number, height: number, value: number) =>
    element("rect", { x: left, y: up, width, height, fill: color(value) });
  const mask = y.flatMap((ay, i) =>
    x.map((ax, j) => square(PAD + j * cell, top + i * cell, cell, cell, ay * ax)),
  );
  const above = x.map((ax, j) => square(PAD + j * cell, top - GAP - STRIP, cell, STRIP, ax));
  const beside = y.map((ay, i) => square(right, top + i * cell, STRIP, cell, ay));
  const width = right + STRIP + 44;
  const height = top + panelHeight + PAD;
  const frame = (left: number, up: number, w: number, h: number) =>
    element("rect", { class: "l", x: left, y: up, width: w, height: h });
  // The last digit of an exponential is not the same in every engine, which the picture must be.
  const digits = (axis: ArrayLike<number>) => Array.from(axis, (value) => value.toPrecision(9));
  const id = fingerprint([theme, palette, title, panelWidth, ...digits(y), "", ...digits(x)].join("\n"));
  return titledDocument({
    id,
    theme,
    title,
    unnamed: TITLE,
    description: `A mask of ${y.length} × ${x.length} pixels, the product of a column a_y and a row a_x; brightest at row ${peak(y)}, column ${peak(x)}.`,
    width,
    height,
    content: [
      element("g", { "shape-rendering": "crispEdges" }, [...mask, ...above, ...beside].join("")),
      frame(PAD, top, panelWidth, panelHeight) +
        frame(PAD, top - GAP - STRIP, panelWidth, STRIP) +
        frame(right, top, STRIP, panelHeight),
      label("a_x", { class: "t", x: right + 4, y: top - GAP - STRIP / 2 + 4 }),
      label("a_y", { class: "t", x: right + STRIP + 6, y: top + panelHeight / 2 + 4 }),
    ],
  });
}

const peak = (values: readonly number[]) => values.indexOf(Math.max(...values)) + 1;

function checkedAxis(op: string, option: string, values: ArrayLike<number>): number[] {
  const numbers = Array.from(values);
  if (numbers.length > 0 && numbers.every((value) => value >= 0 && value <= 1)) return numbers;
  const got = numbers.length === 0 ? "none" : `${numbers.find((value) => !(value >= 0 && value <= 1))}`;
  return refuse(
    op,
    option,
    "one number or more, from 0 to 1",
    got,
    "make it with gaussianAxis or binaryAxis",
  );
}
