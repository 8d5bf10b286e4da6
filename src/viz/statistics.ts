import { oneOf } from "./options.ts";
import { refuse, refuseLength } from "./refuse.ts";
import { TOKEN_SIZE } from "./svg/layout.ts";
import { coordinate, element, fingerprint, label } from "./svg/markup.ts";
import { fitWidth, textWidth } from "./svg/measure.ts";
import { THEMES, type Theme } from "./svg/theme.ts";
import { belowTitle, PAD, titledDocument } from "./svg/titled.ts";
import { visible } from "./text.ts";

/** A column of the table. */
export interface Measure {
  readonly name: string;
  /** Where bars begin and end. @default from 0 to the largest number of the column, or to 1 where that is less */
  readonly domain?: readonly [low: number, high: number];
}

export interface StatisticsData {
  readonly columns: readonly Measure[];
  /** A number for each column; NaN where there is none. */
  readonly rows: readonly { readonly name: string; readonly values: ArrayLike<number> }[];
}

export interface StatisticsOptions {
  /** @default "Measures"; empty = none */
  readonly title?: string;
  /** A sentence below the table. @default none */
  readonly note?: string;
  /** The most pixels across: columns beyond go below, with the names again. @default all columns side by side */
  readonly width?: number;
  /** @default "light" */
  readonly theme?: Theme;
}

const TITLE = "Measures";
const ROW = 28;
const HEADER = 34;
const LEAST_COLUMN = 84;
const LONGEST_NAME = 260;
const GAP = 14;
const BAR = 5;
const NOTE_LINE = 17;

/**
 * Measures of several things as a table: each number over a bar, so that a column can be read at a glance.
 *
 * A bar begins at 0, or at the near end where 0 is outside the column's domain, and its end is the number; a missing
 * number is a dash. Cost: O(rows·columns). Pure: the same data give the same text, without a DOM.
 *
 * @throws ShapeError SHAPE · OptionError OPTION
 * @example
 * statistics({ columns: [{ name: "entropy", domain: [0, 1] }], rows: [{ name: "head 0", values: [0.25] }] });
 */
export function statistics(data: StatisticsData, options: StatisticsOptions = {}): string {
  const op = "statistics";
  check(op, data);
  const theme = oneOf(op, "theme", options.theme ?? "light", THEMES);
  const { title = TITLE, note = "" } = options;
  const { columns, rows } = data;
  const names = rows.map(({ name }) => fitWidth(visible(name), LONGEST_NAME, TOKEN_SIZE));
  const left = PAD + Math.ceil(Math.max(...names.map((name) => textWidth(name, TOKEN_SIZE)))) + GAP;
  const heads = columns.map(({ name }) => fitWidth(visible(name), LONGEST_NAME, 12));
  const widths = heads.map((head) => Math.max(LEAST_COLUMN, Math.ceil(textWidth(head, 12))));
  const bands = bandsOf(widths, (options.width ?? Infinity) - left - PAD);
  const lefts = bands.flatMap((band) => band.map((_, n) => left + span(widths, band.slice(0, n))));
  const tops = bands.map((_, n) => belowTitle(title) + HEADER + n * (HEADER + rows.length * ROW));
  const width = Math.max(...bands.map((band) => left + span(widths, band) - GAP)) + PAD;
  const notes = note === "" ? [] : lines(visible(note), width - 2 * PAD);
  const bottom = tops.at(-1)! + rows.length * ROW;
  const height = bottom + (note ? 34 + (notes.length - 1) * NOTE_LINE : PAD);
  const body = columns.map((column, c) => {
    const [x, w] = [lefts[c]!, widths[c]!];
    const top = tops[bands.findIndex((band) => band.includes(c))]!;
    const bottom = top + rows.length * ROW;
    const numbers = rows.map(({ values }) => values[c]!);
    const [low, high] = column.domain ?? domainOf(numbers);
    const at = (value: number) => x + (w * (Math.min(high, Math.max(low, value)) - low)) / (high - low);
    const zero = at(0);
    const head = label(heads[c]!, { class: "t k", x, y: top - 12, "font-size": 12 });
    const cells = numbers.map((value, n) => {
      const y = top + n * ROW;
      if (!Number.isFinite(value)) return label("–", { class: "t", x, y: y + 16 });
      const end = at(value);
      const bar = { x: Math.min(zero, end), y: y + 20, width: Math.abs(end - zero), height: BAR };
      const track = element("path", { class: "l", d: `M${coordinate(x)} ${y + 25.5}h${w}` });
      return (
        label(number(value), { class: "t", x, y: y + 16 }) + element("rect", { class: "b", ...bar }) + track
      );
    });
    const axis =
      low < 0 ? element("path", { class: "l", d: `M${coordinate(zero)} ${top + 18}V${bottom}` }) : "";
    return head + axis + cells.join("");
  });
  const id = fingerprint(
    [
      theme,
      title,
      note,
      ...(bands.length > 1 ? [width] : []),
      ...heads,
      ...rows.map(({ name, values }) => `${name} ${Array.from(values)}`),
    ].join("\n"),
  );
  const list = rows.length === 1 ? "1 row" : `${rows.length} rows`;
  return titledDocument({
    id,
    theme,
    title,
    unnamed: TITLE,
    description: `${list}; ${columns.map(({ name }) => visible(name)).join(", ")}. ${visible(note)}`.trim(),
    width,
    height,
    rules: ({ edge }) => [[".b", `fill:${edge}`]],
    content: [
      ...tops.flatMap((top) =>
        names.map((name, n) => label(name, { class: "t k", x: PAD, y: top + n * ROW + 16 })),
      ),
      ...body,
      ...notes.map((line, n) => {
        const y = height - 12 - (notes.length - 1 - n) * NOTE_LINE;
        return label(fitWidth(line, width - 2 * PAD, 12), { class: "t k", x: PAD, y, "font-size": 12 });
      }),
    ],
  });
}

/** Columns in bands, each as wide as fits, one column at least. */
function bandsOf(widths: readonly number[], most: number): number[][] {
  const bands: number[][] = [];
  for (const c of widths.keys()) {
    const band = bands.at(-1);
    if (band && span(widths, [...band, c]) - GAP <= most) band.push(c);
    else bands.push([c]);
  }
  return bands;
}

/** What columns take with the gap behind each. */
const span = (widths: readonly number[], columns: readonly number[]) =>
  columns.reduce((sum, c) => sum + widths[c]! + GAP, 0);

/** A text in lines that fit. */
function lines(text: string, width: number): string[] {
  const found: string[] = [];
  for (const word of text.split(" ")) {
    const last = found.at(-1);
    if (last !== undefined && textWidth(`${last} ${word}`, 12) <= width)
      found[found.length - 1] = `${last} ${word}`;
    else found.push(word);
  }
  return found;
}

/** Three decimals below 10, else one. */
const number = (value: number) => (Math.abs(value) < 10 ? value.toFixed(3) : value.toFixed(1));

function domainOf(values: readonly number[]): readonly [number, number] {
  const finite = values.filter(Number.isFinite);
  return [Math.min(0, ...finite), Math.max(1, ...finite)];
}

function check(op: string, { columns, rows }: StatisticsData): void {
  if (columns.length === 0) refuse(op, "columns", "one measure or more", "none", "name what was measured");
  if (rows.length === 0) refuse(op, "rows", "one row or more", "none", "pass what was measured");
  for (const { name, domain } of columns)
    if (domain && !(domain[0] < domain[1] && domain.every(Number.isFinite)))
      refuse(
        op,
        `the domain of ${JSON.stringify(name)}`,
        "two finite numbers, low < high",
        `[${domain}]`,
        "or leave it out",
      );
  for (const { name, values } of rows)
    if (values.length !== columns.length) {
      refuseLength(op, `values of ${JSON.stringify(name)}`, "columns", columns.length, values.length);
    }
}
