import { oneOf } from "./options.ts";
import { refuse, refuseLength } from "./refuse.ts";
import { formatNumber, ticks } from "./scale.ts";
import { coordinate, element, fingerprint, label } from "./svg/markup.ts";
import { fitWidth, textWidth } from "./svg/measure.ts";
import { THEMES, type Theme } from "./svg/theme.ts";
import { PAD, titledDocument } from "./svg/titled.ts";
import { escapeXml, visible } from "./text.ts";

export interface GatesData {
  /** One number for each channel. */
  readonly gate: ArrayLike<number>;
  /** @default "0", "1" and so on */
  readonly names?: readonly string[];
}

export interface GatesOptions {
  /** The largest first. @default false: in the order of the channels */
  readonly sorted?: boolean;
  /** What a bar stands for. @default "channel" */
  readonly unit?: string;
  /** @default "Gate"; empty = none */
  readonly title?: string;
  /** @default "light" */
  readonly theme?: Theme;
}

const TITLE = "Gate";
const PLOT_HEIGHT = 220;
const PLOT_WIDTH = 720;
const MOST_BAR = 36;
const LEAST_NAME_PITCH = 14;
const LONGEST_NAME = 90;

/**
 * The gate of each channel as a bar: what a squeeze-and-excitation block or an element-wise gate lets through.
 *
 * The axis goes from 0 to 1, or as far as the numbers do. Where bars are narrow, every n-th has its name. Cost: O(C).
 * Pure: the same data give the same text, without a DOM.
 * Figure: Hu et al. 2018, "Squeeze-and-Excitation Networks", figure 6, arxiv.org/abs/1709.01507.
 *
 * @throws ShapeError SHAPE · OptionError OPTION
 * @example
 * gates({ gate: [0.1, 0.9, 0.5] }, { sorted: true });
 */
export function gates(data: GatesData, options: GatesOptions = {}): string {
  const op = "gates";
  const { gate } = data;
  check(op, data);
  const theme = oneOf(op, "theme", options.theme ?? "light", THEMES);
  const { title = TITLE, sorted = false, unit = "channel" } = options;
  const values = Array.from(gate, (value, c) => ({ value, name: data.names?.[c] ?? String(c) }));
  if (sorted) values.sort((a, b) => b.value - a.value);
  const low = Math.min(0, ...values.map(({ value }) => value));
  const high = Math.max(low < 0 ? 0 : 1, ...values.map(({ value }) => value));
  const top = title === "" ? PAD : 48;
  const marks = ticks(low, high);
  const left = PAD + Math.ceil(Math.max(...marks.map((mark) => textWidth(formatNumber(mark), 12)))) + 10;
  const pitch = Math.min(MOST_BAR, PLOT_WIDTH / values.length);
  const plotWidth = pitch * values.length;
  const bottom = top + PLOT_HEIGHT;
  const yOf = (value: number) => bottom - ((value - low) / (high - low)) * PLOT_HEIGHT;

  const step = Math.ceil(LEAST_NAME_PITCH / pitch);
  const named = values
    .map(({ name }, n) => ({ text: fitWidth(visible(name), LONGEST_NAME, 12), n }))
    .filter(({ n }) => n % step === 0);
  const longest = Math.max(...named.map(({ text }) => textWidth(text, 12)));
  const upright = longest <= pitch * step - 4;
  const depth = upright ? 18 : Math.ceil(longest) + 10;
  const width = Math.max(320, Math.ceil(left + plotWidth + PAD));
  const height = bottom + depth + 46;
  const bars = values.map(({ value, name }, n) => {
    const [from, to] = [yOf(Math.max(value, 0)), yOf(Math.min(value, 0))];
    const bar = { class: "b", x: left + n * pitch + pitch * 0.1, y: from };
    const words = element("title", {}, `${escapeXml(visible(name))}: ${formatNumber(value)}`);
    return element("rect", { ...bar, width: pitch * 0.8, height: to - from }, words);
  });
  const names = named.map(({ text, n }) => {
    const x = left + (n + 0.5) * pitch;
    if (upright)
      return label(text, { class: "t k", x, y: bottom + 16, "font-size": 12, "text-anchor": "middle" });
    const transform = `translate(${coordinate(x + 4)} ${bottom + 8}) rotate(-90)`;
    return label(text, { class: "t k", transform, "font-size": 12, "text-anchor": "end" });
  });
  const axis = marks.map((mark) => {
    const y = coordinate(yOf(mark));
    return (
      element("path", { class: "l", d: `M${left - 5} ${y}h5` }) +
      label(formatNumber(mark), {
        class: "t",
        x: left - 9,
        y: yOf(mark) + 4,
        "font-size": 12,
        "text-anchor": "end",
      })
    );
  });
  const mean = values.reduce((sum, { value }) => sum + value, 0) / values.length;
  const order = sorted ? "the largest first" : "in order";
  const channels = values.length === 1 ? `1 ${unit}` : `${values.length} ${unit}s`;
  const note = `${channels}, ${order}; mean ${formatNumber(mean)}, ${formatNumber(Math.min(...values.map(({ value }) => value)))} to ${formatNumber(Math.max(...values.map(({ value }) => value)))}.`;
  const id = fingerprint(
    [
      theme,
      title,
      sorted,
      ...(unit === "channel" ? [] : [unit]),
      ...values.map(({ value, name }) => `${name} ${value}`),
    ].join("\n"),
  );
  return titledDocument({
    id,
    theme,
    title,
    unnamed: TITLE,
    description: note,
    width,
    height,
    note,
    rules: ({ edge }) => [[".b", `fill:${edge}`]],
    content: [
      ...bars,
      element("path", {
        class: "l",
        d: `M${left} ${top}V${bottom}M${left} ${coordinate(yOf(0))}h${coordinate(plotWidth)}`,
      }),
      ...axis,
      ...names,
      label(unit, {
        class: "t",
        x: left + plotWidth / 2,
        y: bottom + depth + 14,
        "font-size": 12,
        "text-anchor": "middle",
      }),
    ],
  });
}

function check(op: string, { gate, names }: GatesData): void {
  const wrong = Array.from(gate).find((value) => !Number.isFinite(value));
  if (gate.length === 0 || wrong !== undefined) {
    const remedy = "pass the gate of each channel";
    refuse(op, "gate", "one finite number or more", String(wrong ?? "none"), remedy);
  }
  if (names && names.length !== gate.length) refuseLength(op, "names", "C", gate.length, names.length);
}
